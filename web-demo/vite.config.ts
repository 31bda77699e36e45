import { defineConfig, loadEnv } from 'vite';
import { bundleNote } from './bundle-note.js';
import { precompress } from './precompress.js';

export default defineConfig(({ mode }) => {
  /** Where `npm run dev` finds a running ydock. */
  const server = loadEnv(mode, '.', 'YDOCK_')['YDOCK_URL'] ?? 'http://127.0.0.1:1234';
  return {
    base: '/',
    plugins: [bundleNote(), precompress()],
    build: {
      target: 'es2022',
      // Every browser that runs the page knows modulepreload; the polyfill would only be weight.
      modulePreload: { polyfill: false },
      // The icon stays a file of the same origin: fewer exceptions for a Content-Security-Policy.
      assetsInlineLimit: 0,
      // One script with everything but the page's first paint: a document needs all of it at once. precompress prints its weight.
      chunkSizeWarningLimit: 900,
    },
    server: {
      proxy: {
        '/yjs': { target: server, ws: true },
        '/api': { target: server },
        '/socket.io': { target: server, ws: true },
        '/readyz': { target: server },
      },
    },
  };
});
