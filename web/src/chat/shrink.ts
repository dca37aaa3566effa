/** The largest file that the desk takes, in bytes. */
export const PICTURE_LIMIT = 10 * 1024 * 1024;
/** Larger photos are drawn smaller before they are sent: that is enough to see what is wrong. */
export const LONGEST_SIDE = 2560;
export const HEAVIEST = 9 * 1024 * 1024;
/** A screenshot of a whole page stays readable: its short side keeps so many pixels. */
const NARROWEST = 1080;
const LONG = 2.5;
const QUALITY = 0.88;

/** What the desk reads; whatever else the browser can show is redrawn. */
const TAKEN = new Set(["image/jpeg", "image/png", "image/webp", "image/gif"]);

/** Why a file cannot be sent, in words for the reader. */
export class PictureError extends Error {
  override name = "PictureError";
}

const NO_PICTURE = "这个文件不是能看的图片，请换一张 JPG、PNG、WebP 或 GIF 格式的照片或截图。";
const TOO_LARGE = "这张图片太大了（最大 10 MB），请压缩或截取后再发。";

/** A picture ready to be sent. */
export interface Prepared {
  content: Blob;
  /** An object URL of what the reader chose; who takes it over lets go of it. */
  src: string;
  width: number;
  height: number;
}

/** What a browser does with pictures; given by tests. */
export interface Darkroom {
  /** Opens a file; rejects what cannot be shown. */
  open(file: Blob): Promise<{ image: CanvasImageSource; src: string; width: number; height: number }>;
  /** Draws at a size; null where the browser cannot. */
  draw(image: CanvasImageSource, width: number, height: number): Promise<Blob | null>;
}

const browser: Darkroom = {
  async open(file) {
    const src = URL.createObjectURL(file);
    const image = new Image();
    image.src = src;
    try {
      await image.decode();
    } catch (error) {
      URL.revokeObjectURL(src);
      throw error;
    }
    return { image, src, width: image.naturalWidth, height: image.naturalHeight };
  },
  draw(image, width, height) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const pen = canvas.getContext("2d");
    if (!pen) return Promise.resolve(null);
    // A JPEG has no see-through parts.
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, width, height);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(image, 0, 0, width, height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  },
};

/** The size at which a picture is sent. */
export function sizeToSend(width: number, height: number): { width: number; height: number } {
  const long = Math.max(width, height);
  const short = Math.min(width, height);
  let scale = Math.min(1, LONGEST_SIDE / long);
  if (long > LONG * short) scale = Math.max(scale, Math.min(1, NARROWEST / short));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/**
 * Makes a file fit for sending: large photos smaller, strange formats common.
 *
 * @throws PictureError what cannot be shown or stays too large.
 */
export async function prepare(file: Blob, room: Darkroom = browser): Promise<Prepared> {
  let opened;
  try {
    opened = await room.open(file);
  } catch {
    throw new PictureError(NO_PICTURE);
  }
  const { image, src, width, height } = opened;
  const wanted = sizeToSend(width, height);
  let content: Blob = file;
  if (wanted.width < width || file.size > HEAVIEST || !TAKEN.has(file.type)) {
    let drawn = await room.draw(image, wanted.width, wanted.height).catch(() => null);
    if (drawn && drawn.size > PICTURE_LIMIT) {
      const less = { width: Math.ceil(wanted.width / 2), height: Math.ceil(wanted.height / 2) };
      drawn = await room.draw(image, less.width, less.height).catch(() => null);
    }
    // Where the browser cannot draw it, the desk takes it as it is, within its limit.
    content = drawn ?? file;
  }
  let trouble = "";
  if (width < 1 || height < 1 || (content === file && !TAKEN.has(file.type))) trouble = NO_PICTURE;
  else if (content.size > PICTURE_LIMIT) trouble = TOO_LARGE;
  if (trouble) {
    URL.revokeObjectURL(src);
    throw new PictureError(trouble);
  }
  return { content, src, width, height };
}
