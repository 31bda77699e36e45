/** Which addresses that a peer wrote may become links and images: nothing that runs, nothing that asks another host. */

/** The address of a link as the browser would open it; undefined when it is not to be opened. */
export function linkAddress(written: string, base: string): string | undefined {
  // Headings have no anchors: they would have to share the page's ids.
  if (written === '' || written.startsWith('#')) return undefined;
  const url = parsed(written, base);
  return url !== undefined && LINKED.has(url.protocol) ? url.href : undefined;
}

/** The address of an image that may be shown; undefined when it lies elsewhere and can only be a link. */
export function imageAddress(written: string, base: string): string | undefined {
  if (/^data:image\/(?:png|gif|jpeg|webp|avif);/i.test(written)) return written;
  const url = parsed(written, base);
  return url !== undefined && written !== '' && url.origin === new URL(base).origin ? url.href : undefined;
}

function parsed(written: string, base: string): URL | undefined {
  return URL.canParse(written, base) ? new URL(written, base) : undefined;
}

const LINKED: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:']);
