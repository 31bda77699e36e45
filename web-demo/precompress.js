/**
 * Writes each text file of the build again as `.br` and `.gz` beside it, so that the server never has to compress.
 *
 * Plain JavaScript, because the page's type check knows browsers and not Node.
 */

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

export function precompress() {
  let directory;
  let logger;
  let isWritten = false;
  return {
    name: 'precompress',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      directory = resolve(config.root, config.build.outDir);
      logger = config.logger;
    },
    writeBundle() {
      isWritten = true;
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      handler() {
        if (!isWritten) return; // the build failed
        const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
        const sizes = files.map((entry) => write(join(entry.parentPath, entry.name)));
        const total = sizes.reduce((sum, size) => sum + size, 0);
        logger.info(`gzipped, the page has ${(total / 1000).toFixed(1)} kB in ${files.length} files`);
        if (total > MOST_BYTES) this.error(`the page may have ${MOST_BYTES / 1000} kB at most`);
      },
    },
  };
}

/** Writes what is smaller than the file, and gives back how much goes over the wire with gzip. */
function write(path) {
  const content = readFileSync(path);
  if (!COMPRESSED.has(extname(path)) || content.length < MIN_BYTES) return content.length;
  const brotli = brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
  const gzip = gzipSync(content, { level: constants.Z_BEST_COMPRESSION });
  if (brotli.length < content.length) writeFileSync(`${path}.br`, brotli);
  if (gzip.length < content.length) writeFileSync(`${path}.gz`, gzip);
  return Math.min(gzip.length, content.length);
}

/** Not the page itself, `index.html`: the server writes a new nonce into each copy. */
const COMPRESSED = new Set(['.js', '.css', '.svg', '.json', '.webmanifest', '.txt', '.map']);
const MIN_BYTES = 1024;
/** What a phone loads in a few seconds over a slow line. */
const MOST_BYTES = 600_000;
