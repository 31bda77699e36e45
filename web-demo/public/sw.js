/**
 * Keeps the page itself, so that a document opens while the server is away. Documents are not its matter: they are kept by
 * the page in IndexedDB.
 *
 * The page comes from the server whenever that answers, so a new version shows at the next load. Files under /assets/ have
 * their content's hash in their names and never change.
 */

const CACHE = 'ydock-page-1';
const PAGE = '/';

self.addEventListener('install', (event) => {
  event.waitUntil(keepPage().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(forgetOldCaches().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (request.mode === 'navigate' && (pathname === PAGE || pathname.startsWith('/d/'))) event.respondWith(pageFor(request));
  else if (pathname.startsWith('/assets/')) event.respondWith(assetFor(request));
});

async function pageFor(request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PAGE_WITHIN_MS) });
    if (isPage(answer)) await cache.put(PAGE, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(PAGE);
    if (kept === undefined) throw error;
    return kept;
  }
}

async function assetFor(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept !== undefined) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    await cache.put(request, answer.clone());
    await keepNewest(cache);
  }
  return answer;
}

/** The page and the files that it names, which were loaded before there was a worker. */
async function keepPage() {
  const cache = await caches.open(CACHE);
  const answer = await fetch(PAGE);
  if (!isPage(answer)) return;
  const text = await answer.clone().text();
  await cache.put(PAGE, answer);
  const named = [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
  await cache.addAll([...new Set(named)]);
}

/** Versions come and go; what is oldest goes first. */
async function keepNewest(cache) {
  const assets = (await cache.keys()).filter(({ url }) => new URL(url).pathname.startsWith('/assets/'));
  for (const request of assets.slice(0, Math.max(0, assets.length - MOST_ASSETS))) await cache.delete(request);
}

async function forgetOldCaches() {
  for (const name of await caches.keys()) if (name.startsWith('ydock-page-') && name !== CACHE) await caches.delete(name);
}

function isPage(answer) {
  return answer.ok && (answer.headers.get('content-type') ?? '').startsWith('text/html');
}

const PAGE_WITHIN_MS = 5000;
const MOST_ASSETS = 40;
