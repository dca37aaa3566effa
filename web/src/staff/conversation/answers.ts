import { ApiError } from "../../wire/api";
import { Outbox, type Outgoing } from "../../wire/outbox";
import type { Warning } from "../../wire/staff";
import { staffApi, warningsOf } from "../../wire/staffApi";
import { keptStorage, wordsKey } from "../drafts";

/** The waits before an answer that did not reach the desk goes out again. */
const AGAIN_MS = [2_000, 4_000, 8_000, 15_000];
const HELD = "还没有发出：请先看提醒。";

/** An answer that the desk held back until somebody has read its warnings. */
export interface Held {
  id: string;
  text: string;
  warnings: Warning[];
}

export interface AnswersNews {
  changed(items: readonly Outgoing[]): void;
  held(held: Held | null): void;
  /** The desk has it. */
  taken(id: string): void;
  /** The desk said no for good, or knows us no more. */
  refused(error: ApiError): void;
}

/**
 * The answers to one customer that are on their way, in the order in which they were written.
 *
 * What has not reached the desk goes out again by itself under its id, also after a reload or in a
 * browser that was closed meanwhile; the desk takes it once.
 */
export class Answers {
  private readonly outbox: Outbox;
  private readonly confirmed = new Set<string>();
  private busy = false;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ended = false;
  private hold: Held | null = null;

  constructor(
    account: number,
    private readonly conversation: string,
    private readonly news: AnswersNews,
  ) {
    this.outbox = new Outbox(wordsKey(account, conversation, "outbox"), keptStorage(), (items) =>
      news.changed(items),
    );
  }

  all(): readonly Outgoing[] {
    return this.outbox.all();
  }

  get held(): Held | null {
    return this.hold;
  }

  send(text: string): void {
    this.outbox.add(text, new Date().toISOString());
    void this.pump();
  }

  /** Sends what was held back or refused again; `confirmed` where its warnings were read. */
  again(id: string, confirmed = false): void {
    if (confirmed) this.confirmed.add(id);
    if (this.hold?.id === id) this.setHeld(null);
    this.outbox.again(id);
    void this.pump();
  }

  /** Gives an answer up. Returns its words. */
  discard(id: string): string {
    const item = this.outbox.all().find((one) => one.id === id);
    if (this.hold?.id === id) this.setHeld(null);
    this.outbox.drop(id);
    return item?.text ?? "";
  }

  /** The connection is back: nothing waits any longer. */
  resume(): void {
    this.failures = 0;
    void this.pump();
  }

  /**
   * An answer that is in the history is on its way no longer. The desk's answer to the call says so
   * too, but often later; the event has no id of this page, so the words have to do.
   */
  shown(text: string): void {
    const item = this.outbox.all().find((one) => one.state !== "failed" && one.text === text);
    if (item) this.outbox.drop(item.id);
  }

  /** Forgets what the desk has: the history shows it by now. */
  settle(): void {
    for (const item of this.outbox.all()) if (item.state === "sent") this.outbox.drop(item.id);
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }

  private setHeld(held: Held | null): void {
    this.hold = held;
    this.news.held(held);
  }

  private async pump(): Promise<void> {
    if (this.busy || this.ended) return;
    clearTimeout(this.timer);
    this.busy = true;
    let item = this.outbox.unsent()[0];
    while (item && !this.ended && (await this.transmit(item))) item = this.outbox.unsent()[0];
    this.busy = false;
  }

  /** Returns whether the next one can go out. */
  private async transmit(item: Outgoing): Promise<boolean> {
    try {
      await staffApi.answer(this.conversation, item.id, item.text, this.confirmed.has(item.id));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.ended) return false;
      return this.failed(item, error);
    }
    this.failures = 0;
    this.confirmed.delete(item.id);
    // Gone already where the live connection was faster.
    this.outbox.acknowledged(item.id);
    if (!this.ended) this.news.taken(item.id);
    return true;
  }

  private failed(item: Outgoing, error: ApiError): boolean {
    const warnings = warningsOf(error);
    if (warnings) {
      this.outbox.refused(item.id, HELD, true);
      this.setHeld({ id: item.id, text: item.text, warnings });
      return true;
    }
    if (error.status === 0 || error.status >= 500 || error.status === 429 || error.status === 401) {
      // It stays where it is; a session that ended is told, and its words wait for the next.
      if (error.status === 401) this.news.refused(error);
      else this.later();
      return false;
    }
    this.outbox.refused(item.id, error.message, error.code !== "not_owner");
    this.news.refused(error);
    return true;
  }

  private later(): void {
    const wait = AGAIN_MS[Math.min(this.failures, AGAIN_MS.length - 1)] ?? 15_000;
    this.failures += 1;
    this.timer = setTimeout(() => void this.pump(), wait);
  }
}
