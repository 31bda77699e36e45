/** Images that people paste, drop or pick: decoded here, made small enough, and stored as bytes of a known kind. */

import { middle, type Point } from './model/geometry';
import { LARGEST_IMAGE } from './model/limits';
import { round } from './model/resizing';
import { IMAGE_TYPES } from './model/reading';
import type { ShapeId, Size } from './model/shape';
import type { Workbench } from './workbench';

export type PreparedImage =
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer>; readonly mediaType: string; readonly size: Size }
  | { readonly ok: false; readonly problem: string };

/** Adds the images among `files` around a point, and tells of those that cannot be added. */
export async function addImages(files: readonly File[], at: Point | undefined, bench: Workbench): Promise<readonly string[]> {
  const problems: string[] = [];
  const ids: ShapeId[] = [];
  for (const file of files.slice(0, MOST_AT_ONCE)) {
    const image = await prepared(file);
    if (!image.ok) {
      problems.push(image.problem);
    } else if (bench.editable.value) {
      ids.push(addImage(image, file.name, { at: at ?? middle(bench.camera.visible), shift: ids.length * 24, bench }));
    }
  }
  if (files.length > MOST_AT_ONCE) problems.push(`Only the first ${MOST_AT_ONCE} images were added.`);
  if (ids.length > 0) {
    bench.tool.value = 'select';
    bench.select(ids);
    bench.onActivity();
  }
  return problems;
}

function addImage(
  { bytes, mediaType, size }: Extract<PreparedImage, { ok: true }>,
  name: string,
  { at, shift, bench }: { at: Point; shift: number; bench: Workbench },
): ShapeId {
  const seen = bench.camera.visible;
  const scale = Math.min(1, (seen.width * MOST_OF_VIEW) / size.width, (seen.height * MOST_OF_VIEW) / size.height);
  const [width, height] = [Math.max(8, size.width * scale), Math.max(8, size.height * scale)];
  const position = [round(at.x - width / 2 + shift), round(at.y - height / 2 + shift)];
  const alt = name.replace(/\.[a-z0-9]+$/i, '').slice(0, 200);
  let id = '';
  bench.board.edit((gesture) => {
    id = gesture.create({ fields: { type: 'image', position, size: [round(width), round(height)], mediaType, bytes, alt } });
  });
  return id;
}

/** The file as it is when it is small, otherwise encoded anew until it is. */
export async function prepared(file: Blob & { readonly name?: string }): Promise<PreparedImage> {
  const name = file.name === undefined || file.name === '' ? 'The image' : `“${file.name}”`;
  if (file.size > LARGEST_FILE) return { ok: false, problem: `${name} is larger than 30 MB.` };
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return { ok: false, problem: `${name} is no image that this browser can read.` };
  }
  const size = { width: bitmap.width, height: bitmap.height };
  try {
    if (file.size <= LARGEST_IMAGE && IMAGE_TYPES.includes(file.type) && Math.max(size.width, size.height) <= LONGEST_SIDE) {
      return { ok: true, bytes: new Uint8Array(await file.arrayBuffer()), mediaType: file.type, size };
    }
    for (const side of [LONGEST_SIDE, LONGEST_SIDE / 2, LONGEST_SIDE / 4]) {
      for (const quality of [0.85, 0.6]) {
        const blob = await encoded(bitmap, side, quality);
        if (blob !== undefined && blob.size <= LARGEST_IMAGE) {
          return { ok: true, bytes: new Uint8Array(await blob.arrayBuffer()), mediaType: blob.type, size };
        }
      }
    }
    return { ok: false, problem: `${name} cannot be made small enough for the board.` };
  } finally {
    bitmap.close();
  }
}

async function encoded(bitmap: ImageBitmap, longestSide: number, quality: number): Promise<Blob | undefined> {
  const scale = Math.min(1, longestSide / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
  const context = canvas.getContext('2d');
  if (context === null) return undefined;
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  // A browser that cannot write WebP answers with PNG.
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality });
  return IMAGE_TYPES.includes(blob.type) ? blob : undefined;
}

const LARGEST_FILE = 30 * 1024 * 1024;
const LONGEST_SIDE = 2048;
const MOST_OF_VIEW = 0.6;
const MOST_AT_ONCE = 10;
