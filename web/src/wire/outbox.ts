import { freshId } from "./ids";

/** Where a message of this page stands. */
export type SendState = "sending" | "sent" | "failed";

export interface Outgoing {
  /** Made once; every retry carries the same, so that the desk never takes it twice. */
  readonly id: string;
  readonly text: string;
  readonly button?: string;
  /** ISO 8601, the page's clock. */
  readonly at: string;
  state: SendState;
  /** Why it failed, in the desk's words. */
  message?: string;
  /** Whether sending the same again can help. */
  retry?: boolean;
  /** Sent instead of words, as this page has it. */
  readonly picture?: LocalPicture;
  /** The share of a picture that has left, between 0 and 1. */
  progress?: number;
}

/** A picture at an address that this page can show, with its size in pixels. */
export interface LocalPicture {
  readonly src: string;
  readonly width: number;
  readonly height: number;
}

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/**
 * What the customer has said and the desk has not yet shown back.
 *
 * Whatever is not acknowledged is also written to the tab's storage, so that a reload or a
 * crash of the page loses nothing.
 */
export class Outbox {
  private items: Outgoing[];

  constructor(
    private readonly key: string,
    private readonly store: Store | null,
    private readonly changed: (items: readonly Outgoing[]) => void = () => {},
  ) {
    this.items = this.load();
    if (this.items.length > 0) this.changed(this.all());
  }

  all(): readonly Outgoing[] {
    return this.items.map((item) => ({ ...item }));
  }

  /** The messages that still have to reach the desk, oldest first. */
  unsent(): readonly Outgoing[] {
    return this.items.filter((item) => item.state === "sending");
  }

  add(text: string, at: string, button?: string): Outgoing {
    const item: Outgoing = {
      id: freshId(),
      text,
      at,
      state: "sending",
      ...(button === undefined ? {} : { button }),
    };
    this.items.push(item);
    this.save();
    return item;
  }

  acknowledged(id: string): void {
    const item = this.find(id);
    if (!item || item.state === "sent") return;
    item.state = "sent";
    delete item.message;
    this.save();
  }

  refused(id: string, message: string, retry: boolean): void {
    const item = this.find(id);
    // A refusal of something already stored is late news of an earlier try.
    if (!item || item.state === "sent") return;
    item.state = "failed";
    item.message = message;
    item.retry = retry;
    this.save();
  }

  /** Puts a failed message back to be sent, under the same id. */
  again(id: string): Outgoing | null {
    const item = this.find(id);
    if (!item || item.state !== "failed" || item.retry === false) return null;
    item.state = "sending";
    delete item.message;
    this.save();
    return item;
  }

  /** Forgets a message: the desk has shown it, or the customer gave it up. */
  drop(id: string): void {
    const before = this.items.length;
    this.items = this.items.filter((item) => item.id !== id);
    if (this.items.length !== before) this.save();
  }

  private find(id: string): Outgoing | undefined {
    return this.items.find((item) => item.id === id);
  }

  private load(): Outgoing[] {
    try {
      const kept: unknown = JSON.parse(this.store?.getItem(this.key) ?? "[]");
      if (!Array.isArray(kept)) return [];
      return kept.filter(
        (item): item is Outgoing =>
          typeof item === "object" &&
          item !== null &&
          typeof item.id === "string" &&
          typeof item.text === "string" &&
          typeof item.at === "string" &&
          (item.state === "sending" || item.state === "failed"),
      );
    } catch {
      // Storage is shut (private mode) or holds something else: begin empty.
      return [];
    }
  }

  private save(): void {
    const unsent = this.items.filter((item) => item.state !== "sent");
    try {
      if (unsent.length === 0) this.store?.removeItem(this.key);
      else this.store?.setItem(this.key, JSON.stringify(unsent));
    } catch {
      // Storage full or shut: the message still lives in this page.
    }
    this.changed(this.all());
  }
}

/** The tab's storage, or null where the browser shuts it. */
export function tabStorage(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}
