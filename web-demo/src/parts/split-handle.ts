/** The line between text and board, which can be drawn: by pointer, or with the arrow keys. */

import { readStored, writeStored } from '../browser-storage';
import { element } from '../dom';

/** `panes` gets the text's share of the width as `--text-share`. */
export function splitHandle(panes: HTMLElement): HTMLElement {
  const handle = element('div', {
    class: 'split-handle',
    role: 'separator',
    tabindex: '0',
    'aria-orientation': 'vertical',
    'aria-label': 'Width of the text',
    'aria-valuemin': String(LEAST),
    'aria-valuemax': String(MOST),
  });
  let share = 45;
  const show = (wanted: number): void => {
    share = Math.min(MOST, Math.max(LEAST, wanted));
    panes.style.setProperty('--text-share', `${share}%`);
    handle.setAttribute('aria-valuenow', String(Math.round(share)));
  };
  const stored = readStored(KEY);
  show(typeof stored === 'number' && Number.isFinite(stored) ? stored : share);
  const keep = (): void => writeStored(KEY, Math.round(share));
  handle.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    handle.focus();
    handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener('pointermove', (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const { left, width } = panes.getBoundingClientRect();
    show(((event.clientX - left) / width) * 100);
  });
  handle.addEventListener('lostpointercapture', keep);
  handle.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -2, ArrowRight: 2, Home: -100, End: 100 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    show(share + step);
    keep();
  });
  handle.addEventListener('dblclick', () => {
    show(45);
    keep();
  });
  return handle;
}

const LEAST = 25;
const MOST = 75;
const KEY = 'ydock.text-share';
