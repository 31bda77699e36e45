/** The images of a board, decoded once each. Their bytes come from other clients: they are decoded as images and nothing else. */

import type { ImageLook } from '../model/shape';

export type Picture =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly bitmap: ImageBitmap }
  | { readonly state: 'broken' };

export class Pictures {
  readonly #known = new WeakMap<Uint8Array, Picture>();
  readonly #onReady: (image: ImageLook) => void;

  /** Calls `onReady` when an image that was asked for can be painted. */
  constructor(onReady: (image: ImageLook) => void) {
    this.#onReady = onReady;
  }

  of(image: ImageLook): Picture {
    const known = this.#known.get(image.bytes);
    if (known !== undefined) return known;
    this.#known.set(image.bytes, { state: 'loading' });
    void this.load(image).then(() => this.#onReady(image));
    return { state: 'loading' };
  }

  /** Resolves once the image is decoded, or known to be broken. */
  async load(image: ImageLook): Promise<Picture> {
    let picture: Picture;
    try {
      const bitmap = await createImageBitmap(new Blob([image.bytes], { type: image.mediaType }));
      picture = { state: 'ready', bitmap };
    } catch {
      picture = { state: 'broken' };
    }
    this.#known.set(image.bytes, picture);
    return picture;
  }
}
