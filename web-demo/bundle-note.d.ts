import type { Plugin } from 'vite';

/** Prints the share of each package in the build's scripts. */
export function bundleNote(): Plugin;
