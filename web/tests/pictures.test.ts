import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp, h, nextTick, type App } from "vue";
import ComposerBox from "../src/chat/ComposerBox.vue";
import MessageBubble from "../src/chat/MessageBubble.vue";
import { pictureBox } from "../src/chat/pictureBox";
import { PictureQueue } from "../src/chat/pictureQueue";
import {
  HEAVIEST,
  PICTURE_LIMIT,
  PictureError,
  prepare,
  sizeToSend,
  type Darkroom,
  type Prepared,
} from "../src/chat/shrink";
import { ApiError } from "../src/wire/api";
import type { Outgoing } from "../src/wire/outbox";

const revoked: string[] = [];

beforeEach(() => {
  revoked.length = 0;
  vi.stubGlobal("URL", { revokeObjectURL: (src: string) => revoked.push(src) });
});

afterEach(() => {
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

/** A file of a size, without the bytes. */
function file(size: number, type = "image/jpeg"): File {
  const made = new File(["x"], "photo", { type });
  Object.defineProperty(made, "size", { value: size });
  return made;
}

describe("the size that is sent", () => {
  it.each([
    [800, 600, 800, 600],
    [2560, 1920, 2560, 1920],
    [4000, 3000, 2560, 1920],
    [3000, 4000, 1920, 2560],
    [5120, 10, 5120, 10],
  ])("of %i x %i is %i x %i", (width, height, toWidth, toHeight) => {
    expect(sizeToSend(width, height)).toEqual({ width: toWidth, height: toHeight });
  });

  it("keeps a long screenshot readable", () => {
    expect(sizeToSend(1080, 12_000)).toEqual({ width: 1080, height: 12_000 });
    expect(sizeToSend(2160, 12_000)).toEqual({ width: 1080, height: 6_000 });
  });
});

describe("preparing", () => {
  function room(
    width: number,
    height: number,
    drawn: (width: number, height: number) => Blob | null = () => file(1_000_000),
  ): Darkroom & { asked: number[][] } {
    const asked: number[][] = [];
    return {
      asked,
      open: () =>
        Promise.resolve({ image: {} as CanvasImageSource, src: "blob:1", width, height }),
      draw(_, toWidth, toHeight) {
        asked.push([toWidth, toHeight]);
        return Promise.resolve(drawn(toWidth, toHeight));
      },
    };
  }

  it("sends what is small enough as it is", async () => {
    const photo = file(3_000_000, "image/png");
    const made = await prepare(photo, room(2000, 1500));
    expect(made).toEqual({ content: photo, src: "blob:1", width: 2000, height: 1500 });
  });

  it("draws large photos smaller", async () => {
    const studio = room(4000, 3000);
    const made = await prepare(file(3_000_000), studio);
    expect(studio.asked).toEqual([[2560, 1920]]);
    expect(made.content.size).toBe(1_000_000);
    expect(made).toMatchObject({ width: 4000, height: 3000 });
  });

  it("draws heavy photos anew, smaller if they stay heavy", async () => {
    const studio = room(2000, 1500, (width) => file(width > 1500 ? PICTURE_LIMIT + 1 : 5));
    const made = await prepare(file(HEAVIEST + 1), studio);
    expect(studio.asked).toEqual([
      [2000, 1500],
      [1000, 750],
    ]);
    expect(made.content.size).toBe(5);
  });

  it("draws what the desk cannot read but the browser can", async () => {
    const made = await prepare(file(1000, "image/heic"), room(40, 30, () => file(77)));
    expect(made.content.size).toBe(77);
  });

  it("sends it as it is where the browser cannot draw, as far as the desk takes it", async () => {
    const photo = file(PICTURE_LIMIT);
    expect((await prepare(photo, room(4000, 3000, () => null))).content).toBe(photo);
    const heavy = prepare(file(PICTURE_LIMIT + 1), room(4000, 3000, () => null));
    await expect(heavy).rejects.toThrow("最大 10 MB");
    await expect(prepare(file(9, "image/heic"), room(9, 9, () => null))).rejects.toThrow("JPG");
    expect(revoked).toEqual(["blob:1", "blob:1"]);
  });

  it("refuses what is no picture", async () => {
    const closed = { ...room(1, 1), open: () => Promise.reject(new Error("not decodable")) };
    await expect(prepare(file(9, "text/plain"), closed)).rejects.toBeInstanceOf(PictureError);
  });
});

describe("the queue", () => {
  interface Sending {
    id: string;
    progress: (share: number) => void;
    done: () => void;
    fail: (error: ApiError) => void;
  }
  let sendings: Sending[];
  let shown: readonly Outgoing[];
  let queue: PictureQueue;

  beforeEach(() => {
    sendings = [];
    shown = [];
    queue = new PictureQueue(
      (id, _, progress) =>
        new Promise((resolve, reject) => {
          sendings.push({ id, progress, done: () => resolve({}), fail: reject });
        }),
      (items) => (shown = items),
    );
  });

  const photo = (src = "blob:1"): Prepared => ({ content: file(9), src, width: 40, height: 30 });
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

  it("sends one after the other and tells how far each is", async () => {
    const first = queue.add(photo(), "2026-03-01T08:00:00Z");
    const second = queue.add(photo("blob:2"), "2026-03-01T08:00:01Z");
    expect(sendings.map((one) => one.id)).toEqual([first.id]);
    expect(shown[0]).toMatchObject({ state: "sending", picture: { src: "blob:1", width: 40 } });
    sendings[0]?.progress(0.5);
    expect(shown[0]?.progress).toBe(0.5);
    sendings[0]?.done();
    await settle();
    expect(shown.map((one) => one.state)).toEqual(["sent", "sending"]);
    expect(sendings.map((one) => one.id)).toEqual([first.id, second.id]);
  });

  it("keeps what the desk has shown for the page alone, until it ends", async () => {
    const { id } = queue.add(photo(), "2026-03-01T08:00:00Z");
    sendings[0]?.done();
    await settle();
    queue.shown(id);
    expect(shown).toEqual([]);
    expect(queue.sourceOf(id)).toBe("blob:1");
    expect(revoked).toEqual([]);
    queue.end();
    expect(revoked).toEqual(["blob:1"]);
    expect(queue.sourceOf(id)).toBeUndefined();
  });

  it("keeps what could not be sent, and sends it again under its id", async () => {
    const { id } = queue.add(photo(), "2026-03-01T08:00:00Z");
    sendings[0]?.fail(new ApiError(0, "unreachable", "连不上"));
    await settle();
    expect(shown[0]).toMatchObject({ id, state: "failed", retry: true });
    expect(shown[0]?.message).toContain("图片还在这里");
    queue.resume();
    expect(shown[0]).toMatchObject({ state: "sending" });
    expect(sendings.map((one) => one.id)).toEqual([id, id]);
    sendings[1]?.fail(new ApiError(429, "too_fast", "太快了"));
    await settle();
    // Not for want of a connection: that is for the reader to decide.
    queue.resume();
    expect(sendings).toHaveLength(2);
    expect(queue.again(id)).toBe(true);
    expect(sendings.map((one) => one.id)).toEqual([id, id, id]);
  });

  it.each([
    [415, "bad_picture"],
    [413, "too_large"],
    [429, "too_many"],
    [404, "not_found"],
  ])("never sends again what is refused for good: %i %s", async (status, code) => {
    const { id } = queue.add(photo(), "2026-03-01T08:00:00Z");
    sendings[0]?.fail(new ApiError(status, code, "不行"));
    await settle();
    expect(shown[0]).toMatchObject({ state: "failed", message: "不行", retry: false });
    expect(queue.again(id)).toBe(true);
    expect(sendings).toHaveLength(1);
    queue.discard(id);
    expect(shown).toEqual([]);
    expect(revoked).toEqual(["blob:1"]);
  });

  it("goes on behind a picture that was refused", async () => {
    queue.add(photo(), "2026-03-01T08:00:00Z");
    queue.add(photo("blob:2"), "2026-03-01T08:00:01Z");
    sendings[0]?.fail(new ApiError(415, "bad_picture", "不行"));
    await settle();
    sendings[1]?.done();
    await settle();
    expect(shown.map((one) => one.state)).toEqual(["failed", "sent"]);
  });

  it("knows nothing of texts", () => {
    expect(queue.again("a text")).toBe(false);
    expect(queue.sourceOf(null)).toBeUndefined();
  });
});

describe("the room of a picture", () => {
  it.each([
    [4000, 3000, 240, 180],
    [3000, 4000, 240, 320],
    [120, 100, 120, 100],
    [10, 10, 88, 88],
    [1080, 20_000, 88, 320],
    [20_000, 400, 240, 88],
  ])("%i x %i is %i x %i", (width, height, toWidth, toHeight) => {
    expect(pictureBox(width, height)).toEqual({ width: toWidth, height: toHeight });
  });
});

describe("in the page", () => {
  let app: App;
  let chosen: File[][];

  function mount(component: object, props: object): HTMLElement {
    const root = document.createElement("div");
    document.body.append(root);
    app = createApp({ render: () => h(component, props) });
    app.mount(root);
    return root;
  }

  function composer(pictures: boolean): HTMLElement {
    chosen = [];
    return mount(ComposerBox, {
      label: "留言",
      placeholder: "写一条留言",
      draft: "pictures",
      pictures,
      onPictures: (files: File[]) => chosen.push(files),
    });
  }

  afterEach(() => app.unmount());

  function paste(root: HTMLElement, files: File[], types: string[]): boolean {
    const event = new Event("paste", { bubbles: true, cancelable: true });
    Object.assign(event, { clipboardData: { files, types } });
    return root.querySelector("textarea")?.dispatchEvent(event) ?? true;
  }

  it("has no picture button where nobody takes pictures", () => {
    const root = composer(false);
    expect(root.querySelector("[aria-label=发图片]")).toBeNull();
    expect(root.querySelector("input[type=file]")).toBeNull();
    expect(paste(root, [file(9)], ["Files"])).toBe(true);
    expect(chosen).toEqual([]);
  });

  it("takes a pasted screenshot, but lets text be text", () => {
    const root = composer(true);
    const shot = file(9, "image/png");
    expect(paste(root, [shot], ["Files"])).toBe(false);
    expect(chosen).toEqual([[shot]]);
    // A spreadsheet offers its cells as words and as a picture.
    expect(paste(root, [shot], ["text/plain", "Files"])).toBe(true);
    expect(paste(root, [file(9, "text/csv")], ["Files"])).toBe(true);
    expect(chosen).toHaveLength(1);
  });

  it("offers images in the picker", () => {
    const picker = composer(true).querySelector<HTMLInputElement>("input[type=file]");
    expect(picker?.accept).toBe("image/*");
    expect(picker?.multiple).toBe(true);
  });

  it("shows a picture in place of its stand-in, in its own shape, and opens it large", async () => {
    HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement): void {
      this.open = true;
    };
    const root = mount(MessageBubble, {
      author: "customer",
      name: "阿明",
      mine: true,
      text: "[图片]",
      time: "刚刚",
      at: "2026-03-01T08:00:00Z",
      state: "sending",
      picture: { src: "/p.jpg", width: 3000, height: 4000 },
      progress: 0.456,
    });
    expect(root.textContent).not.toContain("[图片]");
    expect(root.textContent).toContain("发送中…45%");
    const button = root.querySelector<HTMLButtonElement>("button.picture");
    const image = button?.querySelector("img");
    expect(image?.alt).toBe("图片");
    expect([image?.getAttribute("width"), image?.getAttribute("height")]).toEqual(["240", "320"]);
    button?.click();
    await nextTick();
    await nextTick();
    const viewer = document.querySelector("dialog.viewer");
    expect(viewer?.querySelector("img")?.getAttribute("src")).toBe("/p.jpg");
    expect(viewer?.querySelector("[aria-label=关闭大图]")).not.toBeNull();
  });
});
