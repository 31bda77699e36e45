import { expect, test } from 'vitest';
import { imageAddress, linkAddress } from './addresses';

const BASE = 'https://here.example/d/notes';

test.each([
  ['https://a.example/b?c#d', 'https://a.example/b?c#d'],
  ['mailto:a@b.example', 'mailto:a@b.example'],
  ['other', 'https://here.example/d/other'],
  ['//a.example', 'https://a.example/'],
  ['javascript:alert(1)', undefined],
  [' java\nscript:alert(1)', undefined],
  ['data:text/html,<script>alert(1)</script>', undefined],
  ['vbscript:x', undefined],
  ['file:///etc/passwd', undefined],
  ['blob:https://here.example/1', undefined],
  ['#heading', undefined],
  ['http://[', undefined],
  ['', undefined],
])('%j as a link is %j', (written, expected) => {
  expect(linkAddress(written, BASE)).toBe(expected);
});

test.each([
  ['/icon.svg', 'https://here.example/icon.svg'],
  ['data:image/png;base64,AA==', 'data:image/png;base64,AA=='],
  ['data:image/svg+xml;base64,AA==', undefined],
  ['data:text/html;base64,AA==', undefined],
  ['https://tracker.example/pixel.png', undefined],
  ['//tracker.example/pixel.png', undefined],
  ['javascript:alert(1)', undefined],
])('%j as an image is %j', (written, expected) => {
  expect(imageAddress(written, BASE)).toBe(expected);
});
