import type { ChatEvent, ClosedEvent, InvitationEvent, OwnerEvent } from "../wire/contract";

/** Where an event was said: the room that everybody reads, one's own part of it, or a private chat. */
export type Place = "room" | "own" | "private";

export interface Entry {
  /** Stays the same from the moment of sending to the desk's echo, so that nothing jumps. */
  key: string;
  place: Place;
  /** Milliseconds since 1970; never falls within one place. */
  order: number;
  event: ChatEvent;
}

/** Tells the place from a stream's name (`room:lobby`). */
export function placeOf(stream: string): Place {
  if (stream.startsWith("room:")) return "room";
  return stream.startsWith("own:") ? "own" : "private";
}

function keyOf(event: ChatEvent): string {
  if (event.kind === "offer") return `offer:${event.offer}`;
  if (event.kind === "message" && event.mine && event.client_id) return `say:${event.client_id}`;
  return `event:${event.id}`;
}

/**
 * What a page shows, in the order in which it was said.
 *
 * Events come in order within a place; places are merged by time. An event that comes again
 * (an offer whose state changed, one's own post in its unmasked form) takes its old seat.
 */
export class Timeline {
  private list: Entry[] = [];
  private readonly byKey = new Map<string, Entry>();
  private readonly keyById = new Map<string, string>();
  private readonly latest = new Map<Place, number>();

  entries(): readonly Entry[] {
    return this.list;
  }

  /** Returns whether the event took a new seat. */
  add(place: Place, event: ChatEvent): boolean {
    const key = this.keyById.get(event.id) ?? keyOf(event);
    this.keyById.set(event.id, key);
    const seated = this.byKey.get(key);
    if (seated) {
      // Others' posts are masked in the room; one's own stream has the whole text.
      const fuller = !(seated.place === "own" && place === "room");
      if (fuller) {
        const next: Entry = { ...seated, event, place: seated.place === "room" ? "room" : place };
        this.list[this.list.indexOf(seated)] = next;
        this.byKey.set(key, next);
      } else {
        const next: Entry = { ...seated, place: "room" };
        this.list[this.list.indexOf(seated)] = next;
        this.byKey.set(key, next);
      }
      return false;
    }
    const said = Date.parse(event.at);
    const order = Math.max(Number.isNaN(said) ? 0 : said, this.latest.get(place) ?? 0);
    this.latest.set(place, order);
    const entry: Entry = { key, place, order, event };
    let seat = this.list.length;
    while (seat > 0 && (this.list[seat - 1]?.order ?? 0) > order) seat -= 1;
    this.list.splice(seat, 0, entry);
    this.byKey.set(key, entry);
    return true;
  }

  /** Forgets what was said in some places. */
  clear(places: readonly Place[]): void {
    this.list = this.list.filter((entry) => !places.includes(entry.place));
    this.byKey.clear();
    for (const entry of this.list) this.byKey.set(entry.key, entry);
    for (const [id, key] of this.keyById) if (!this.byKey.has(key)) this.keyById.delete(id);
    for (const place of places) this.latest.delete(place);
  }
}

/** The invitation that counts: the last one. */
export function lastInvitation(entries: readonly Entry[]): InvitationEvent | null {
  const found = entries.findLast((entry) => entry.event.kind === "invitation");
  return found ? (found.event as InvitationEvent) : null;
}

/** Who speaks for the business now. */
export function lastOwner(entries: readonly Entry[]): OwnerEvent | null {
  const found = entries.findLast((entry) => entry.event.kind === "owner");
  return found ? (found.event as OwnerEvent) : null;
}

/** The closing note, while nothing was said after it. */
export function closing(entries: readonly Entry[]): ClosedEvent | null {
  const end = entries.findLastIndex((entry) => entry.event.kind === "closed");
  if (end < 0) return null;
  const goesOn = entries.slice(end + 1).some((entry) => entry.event.kind === "message");
  return goesOn ? null : (entries[end]?.event as ClosedEvent);
}

export interface ReplyState {
  /** Only the latest buttons can be pressed, and only once. */
  live: boolean;
  /** The title that was chosen, if one was. */
  chosen: string | null;
}

/**
 * What became of the quick replies, by the id of the message or offer that carries them.
 *
 * @param waiting texts that were said with a button and that the desk has not shown back yet.
 */
export function replyStates(
  entries: readonly Entry[],
  waiting: readonly string[],
): Map<string, ReplyState> {
  const states = new Map<string, ReplyState>();
  let open: { id: string; titles: string[] } | null = null;
  for (const { event } of entries) {
    if (event.kind !== "message" && event.kind !== "offer") continue;
    if (event.buttons?.length) {
      if (open) states.set(open.id, { live: false, chosen: null });
      open = { id: event.id, titles: event.buttons.map((button) => button.title) };
    } else if (open && event.kind === "message" && event.mine && open.titles.includes(event.text)) {
      states.set(open.id, { live: false, chosen: event.text });
      open = null;
    }
  }
  if (open) {
    const titles = open.titles;
    const chosen = waiting.find((text) => titles.includes(text)) ?? null;
    states.set(open.id, { live: chosen === null, chosen });
  }
  return states;
}

/** The progress cards that a later card of the same title has overtaken. */
export function overtaken(entries: readonly Entry[]): Set<string> {
  const past = new Set<string>();
  const last = new Map<string, string>();
  for (const { event } of entries) {
    if (event.kind !== "progress") continue;
    const before = last.get(event.title);
    if (before) past.add(before);
    last.set(event.title, event.id);
  }
  return past;
}
