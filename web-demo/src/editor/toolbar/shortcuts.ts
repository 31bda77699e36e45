/** Key bindings in words: for titles, and for `aria-keyshortcuts`. */

export interface ShortcutWords {
  /** `Ctrl+Shift+X`, or `⌘⇧X` on Apple's keyboards. */
  readonly shown: string;
  readonly aria: string;
}

/** `binding` is CodeMirror's: `Mod-Shift-x`. */
export function shortcutWords(binding: string): ShortcutWords {
  const keys = binding.split('-');
  return {
    shown: keys.map((key) => (APPLE ? APPLE_KEYS : KEYS)[key] ?? key.toUpperCase()).join(APPLE ? '' : '+'),
    aria: keys.map((key) => (key === 'Mod' ? (APPLE ? 'Meta' : 'Control') : key.length === 1 ? key.toUpperCase() : key)).join('+'),
  };
}

const APPLE = /Mac|iP(?:hone|ad)/.test(navigator.platform);
const KEYS: Readonly<Record<string, string>> = { Mod: 'Ctrl', Shift: 'Shift', Alt: 'Alt' };
const APPLE_KEYS: Readonly<Record<string, string>> = { Mod: '⌘', Shift: '⇧', Alt: '⌥' };
