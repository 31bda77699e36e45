import type { Plugin } from 'vite';

/** Writes each text file of the build again as `.br` and `.gz` beside it. */
export function precompress(): Plugin;
