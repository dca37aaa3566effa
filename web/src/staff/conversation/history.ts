import type { ChatEvent } from "../../wire/contract";
import type { Note } from "../../wire/staff";

/** How far something is that has not reached the customer's WeChat. */
export type Delivery = "held" | "undelivered" | "unsure";

export type Place = "public" | "private";

/** One line of the history: something said or done, or a note of staff. */
export type Line =
  | { key: string; at: string; place: Place; event: ChatEvent; note?: undefined }
  | { key: string; at: string; place: Place; note: Note; event?: undefined };

/** Lines in a row that stand in one place, on one or more days. */
export interface Stretch {
  key: string;
  place: Place;
  /** Whether this place was left and is come back to. */
  again: boolean;
  days: { key: string; at: string; lines: Line[] }[];
}

const instant = (at: string): number => {
  const said = Date.parse(at);
  return Number.isNaN(said) ? 0 : said;
};

/** Puts two lists that each stand in order into one, by time; what is equal keeps its side. */
function merge(one: Line[], other: Line[]): Line[] {
  const lines: Line[] = [];
  let next = 0;
  for (const line of one) {
    let late = other[next];
    while (late && instant(late.at) < instant(line.at)) {
      lines.push(late);
      late = other[(next += 1)];
    }
    lines.push(line);
  }
  return [...lines, ...other.slice(next)];
}

/**
 * All that was said, done and noted, in the order of time.
 *
 * A note belongs to no place; it stands where the conversation was when it was written.
 */
export function linesOf(
  said: { public: readonly ChatEvent[]; private: readonly ChatEvent[] },
  notes: readonly Note[],
): Line[] {
  const from = (place: Place): Line[] =>
    said[place].map((event) => ({ key: `event:${event.id}`, at: event.at, place, event }));
  const spoken = merge(from("public"), from("private"));
  const noted: Line[] = [...notes]
    .sort((one, other) => instant(one.at) - instant(other.at))
    .map((note) => ({ key: `note:${note.id}`, at: note.at, place: "private" as const, note }));
  const lines = merge(spoken, noted);
  let place: Place = spoken[0]?.place ?? "private";
  for (const line of lines) {
    if (line.note) line.place = place;
    else place = line.place;
  }
  return lines;
}

/** The calendar day of an instant, in the reader's zone. */
const dayOf = (at: string): string => new Date(instant(at)).toDateString();

/** Lines by place and by day. */
export function stretchesOf(lines: readonly Line[], before: ReadonlySet<Place>): Stretch[] {
  const seen = new Set(before);
  const stretches: Stretch[] = [];
  for (const line of lines) {
    let stretch = stretches.at(-1);
    if (!stretch || stretch.place !== line.place) {
      stretch = { key: line.key, place: line.place, again: seen.has(line.place), days: [] };
      seen.add(line.place);
      stretches.push(stretch);
    }
    const day = dayOf(line.at);
    let days = stretch.days.at(-1);
    if (!days || days.key !== day) {
      days = { key: day, at: line.at, lines: [] };
      stretch.days.push(days);
    }
    days.lines.push(line);
  }
  return stretches;
}

/** `今天`, `昨天`, `3月8日`, with the year where it is another one. */
export function dayWords(at: string, now: Date): string {
  const day = new Date(instant(at));
  const midnight = (of: Date): number => new Date(of.getFullYear(), of.getMonth(), of.getDate()).getTime();
  const ago = Math.round((midnight(now) - midnight(day)) / 86_400_000);
  if (ago === 0) return "今天";
  if (ago === 1) return "昨天";
  const date = `${day.getMonth() + 1}月${day.getDate()}日`;
  return day.getFullYear() === now.getFullYear() ? date : `${day.getFullYear()}年${date}`;
}
