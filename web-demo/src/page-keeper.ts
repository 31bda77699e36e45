/** Starts the service worker of public/sw.js, with which the page opens while the server is away. */

export function keepPageForOffline(): void {
  // Only secure pages have workers; while developing, a kept page would hide what changes.
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  addEventListener('load', () => {
    navigator.serviceWorker.register('/sw.js').catch((error: unknown) => {
      console.info('the page will not open while the server is away', error);
    });
  });
}
