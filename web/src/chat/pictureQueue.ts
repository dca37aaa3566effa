import { ApiError } from "../wire/api";
import { freshId } from "../wire/ids";
import type { Outgoing } from "../wire/outbox";
import type { Prepared } from "./shrink";

export type SendPicture = (
  id: string,
  content: Blob,
  progress: (share: number) => void,
) => Promise<unknown>;

interface Waiting {
  item: Outgoing;
  content: Blob;
  /** The desk was not reached: goes out again by itself once it is. */
  unreached: boolean;
}

const UNREACHED = "暂时连不上服务，图片还在这里，连上后会再发。";

/**
 * The pictures on their way, one after the other in the order in which they were chosen.
 *
 * What fails stays, under its id, until it is sent or given up; it lives as long as the page.
 */
export class PictureQueue {
  private waiting: Waiting[] = [];
  private busy = false;
  private readonly sources = new Map<string, string>();

  constructor(
    private readonly send: SendPicture,
    private readonly changed: (items: readonly Outgoing[]) => void = () => {},
  ) {}

  add(picture: Prepared, at: string): Outgoing {
    const { content, src, width, height } = picture;
    const item: Outgoing = {
      id: freshId(),
      text: "[图片]",
      at,
      state: "sending",
      picture: { src, width, height },
      progress: 0,
    };
    this.sources.set(item.id, src);
    this.waiting.push({ item, content, unreached: false });
    this.tell();
    void this.pump();
    return item;
  }

  /** Sends a failed picture again. Returns whether it is one of these. */
  again(id: string): boolean {
    const one = this.find(id);
    if (!one) return false;
    if (one.item.state === "failed" && one.item.retry !== false) this.requeue(one);
    return true;
  }

  /** The desk can be reached again. */
  resume(): void {
    for (const one of this.waiting) if (one.unreached) this.requeue(one);
  }

  /** Gives a picture up. */
  discard(id: string): void {
    if (!this.find(id)) return;
    this.shown(id);
    this.letGo(id);
  }

  /** The desk has shown it; what the page has of it stays, so that nothing flickers. */
  shown(id: string): void {
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((one) => one.item.id !== id);
    if (this.waiting.length !== before) this.tell();
  }

  /** Where this page itself has a picture that it sent. */
  sourceOf(id: string | null | undefined): string | undefined {
    return id ? this.sources.get(id) : undefined;
  }

  /** Lets go of all that the browser keeps for this page. */
  end(): void {
    this.waiting = [];
    for (const id of [...this.sources.keys()]) this.letGo(id);
  }

  private requeue(one: Waiting): void {
    one.unreached = false;
    one.item.state = "sending";
    one.item.progress = 0;
    delete one.item.message;
    this.tell();
    void this.pump();
  }

  private async pump(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    let next = this.next();
    while (next) {
      await this.transmit(next);
      next = this.next();
    }
    this.busy = false;
  }

  private next(): Waiting | undefined {
    return this.waiting.find((one) => one.item.state === "sending");
  }

  private async transmit(one: Waiting): Promise<void> {
    const { item } = one;
    try {
      await this.send(item.id, one.content, (share) => {
        item.progress = share;
        this.tell();
      });
      item.state = "sent";
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      one.unreached = error.status === 0;
      item.state = "failed";
      item.message = one.unreached ? UNREACHED : error.message;
      item.retry = one.unreached || error.status >= 500 || [408, 429].includes(error.status);
      if (error.code === "too_many") item.retry = false;
    }
    this.tell();
  }

  private find(id: string): Waiting | undefined {
    return this.waiting.find((one) => one.item.id === id);
  }

  private letGo(id: string): void {
    const src = this.sources.get(id);
    if (src) URL.revokeObjectURL(src);
    this.sources.delete(id);
  }

  private tell(): void {
    this.changed(this.waiting.map((one) => ({ ...one.item })));
  }
}
