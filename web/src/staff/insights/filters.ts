/** What of the insights is looked at; it stands in the address, so that it can be sent on. */
import type { LocationQuery } from "vue-router";
import type { Asked, Insights } from "../../wire/insights";

export const PRESETS = [
  { id: "week", name: "本周" },
  { id: "last-week", name: "上周" },
  { id: "30d", name: "近 30 天" },
  { id: "90d", name: "近 90 天" },
] as const;

export type Preset = (typeof PRESETS)[number]["id"];
export const OWN = "own";

/** Beside the period: what the desk calls them. */
export const CHOICES = ["business", "industry", "channel", "failure"] as const;
export type Choice = (typeof CHOICES)[number];

export interface Filter extends Record<Choice, string> {
  period: Preset | typeof OWN;
  from: string;
  to: string;
}

const USUAL: Preset = "30d";
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A date as the desk writes days, in the reader's zone. */
export function dayOf(date: Date): string {
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function moved(date: Date, days: number): Date {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);
}

/** The first and the last day of a preset; weeks begin on Monday. */
export function daysOf(preset: Preset, today: Date): { from: string; to: string } {
  const monday = moved(today, -((today.getDay() + 6) % 7));
  const [from, to] = {
    week: [monday, today],
    "last-week": [moved(monday, -7), moved(monday, -1)],
    "30d": [moved(today, -29), today],
    "90d": [moved(today, -89), today],
  }[preset] as [Date, Date];
  return { from: dayOf(from), to: dayOf(to) };
}

/** Whether there is such a day in the calendar. */
export function isDay(text: string): boolean {
  if (!DAY.test(text)) return false;
  const [year = 0, month = 0, day = 0] = text.split("-").map(Number);
  return dayOf(new Date(year, month - 1, day)) === text;
}

function one(query: LocationQuery, name: string): string {
  const found = query[name];
  return (Array.isArray(found) ? found[0] : found) ?? "";
}

/** What an address asks for; whatever makes no sense in it is as if it were not there. */
export function filterOf(query: LocationQuery, today: Date): Filter {
  const chosen = Object.fromEntries(CHOICES.map((name) => [name, one(query, name)])) as Record<
    Choice,
    string
  >;
  const [from, to] = [one(query, "from"), one(query, "to")];
  if (isDay(from) && isDay(to) && from <= to) return { ...chosen, period: OWN, from, to };
  const preset = PRESETS.find((known) => known.id === one(query, "period"))?.id ?? USUAL;
  return { ...chosen, period: preset, ...daysOf(preset, today) };
}

/** The address of a filter: what is as usual is left out. */
export function queryOf(filter: Filter): Record<string, string> {
  const query: Record<string, string> = {};
  if (filter.period === OWN) Object.assign(query, { from: filter.from, to: filter.to });
  else if (filter.period !== USUAL) query["period"] = filter.period;
  for (const name of CHOICES) if (filter[name]) query[name] = filter[name];
  return query;
}

type Choices = Insights["filters"];

/**
 * What can be chosen: the desk names only what there is under the filter as it stands, and whoever
 * has chosen one wants to choose another.
 */
export function choicesOf(known: Choices | null, found: Choices, filter: Filter): Choices {
  const channels = new Set(filter.channel ? [...(known?.channels ?? []), filter.channel] : []);
  const failures = new Map((filter.failure ? (known?.failures ?? []) : []).map((one) => [one.id, one]));
  for (const one of found.channels) channels.add(one);
  for (const one of found.failures) failures.set(one.id, one);
  if (filter.failure && !failures.has(filter.failure)) {
    failures.set(filter.failure, { id: filter.failure, name: "所选的这件事" });
  }
  return { ...found, channels: [...channels], failures: [...failures.values()] };
}

/** What the desk is asked. */
export function askedOf(filter: Filter): Asked {
  const asked: Asked = { from: filter.from, to: filter.to };
  for (const name of CHOICES) if (filter[name]) asked[name] = filter[name];
  return asked;
}
