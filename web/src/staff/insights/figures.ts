/** Figures in words: values with their unit, what has changed, and which stand together. */
import type { Day, Fairness, Figure, Unit } from "../../wire/insights";
import { channelWords } from "../channels";
import { yuan } from "../words";
import { dayOf } from "./filters";

export const TOO_FEW = "样本太少";
const MOST_DAYS = 1_000;

/** Which groups come first; any other stands after them under its own name. */
const GROUPS: readonly [string, string][] = [
  ["complaints", "投诉"],
  ["speed", "快"],
  ["anger", "情绪"],
  ["private", "私下"],
  ["remedies", "补偿"],
  ["results", "结果"],
  ["satisfaction", "满意度"],
  ["fairness", "公平"],
];

const trimmed = (value: number, digits: number): string => String(Number(value.toFixed(digits)));

/** A length of time: to the second while it is short, to the minute and the hour after that. */
export function lengthWords(seconds: number): string {
  const whole = Math.round(Math.abs(seconds));
  const sign = seconds < 0 && whole > 0 ? "-" : "";
  if (whole < 60) return `${sign}${whole} 秒`;
  const minutes = Math.floor(whole / 60);
  const rest = whole % 60;
  if (minutes < 10 && rest) return `${sign}${minutes} 分 ${rest} 秒`;
  if (minutes < 60) return `${sign}${minutes} 分钟`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${sign}${trimmed(hours / 24, 1)} 天`;
  return minutes % 60 ? `${sign}${hours} 小时 ${minutes % 60} 分` : `${sign}${hours} 小时`;
}

/** A value as it is read. */
export function valueWords(value: number, unit: Unit): string {
  switch (unit) {
    case "count":
      return Number.isInteger(value) ? String(value) : trimmed(value, 1);
    case "seconds":
      return lengthWords(value);
    case "percent":
      return `${trimmed(value, 1)}%`;
    case "fen":
      return `${value < 0 ? "-" : ""}${yuan(Math.round(Math.abs(value)))}`;
    case "score":
      return trimmed(value, 2);
    case "points":
      return value > 0 ? `+${trimmed(value, 1)}` : trimmed(value, 1);
  }
}

/** What stands in a tile: the value, or why there is none. */
export function figureWords(figure: Pick<Figure, "value" | "unit" | "n" | "low">): string {
  if (figure.value !== null) return valueWords(figure.value, figure.unit);
  return figure.n ? TOO_FEW : "还没有";
}

const DIRECTIONS: Record<Unit, readonly [string, string]> = {
  count: ["多", "少"],
  fen: ["多", "少"],
  seconds: ["长", "短"],
  percent: ["高", "低"],
  score: ["高", "低"],
  points: ["高", "低"],
};
/** From so much more than before it is told in times. */
const TIMES_FROM = 4;

/** What has changed against the period before; empty where one of the two is not known. */
export function changeWords(figure: Pick<Figure, "value" | "unit" | "before">): string {
  const { value, before, unit } = figure;
  if (value === null || before === null) return "";
  const [more, less] = DIRECTIONS[unit];
  const by = Math.abs(value - before);
  const relative = (unit === "count" || unit === "fen" || unit === "seconds") && before > 0;
  if (relative && value / before >= TIMES_FROM) return `是上期的 ${Math.round(value / before)} 倍`;
  const size = relative ? Math.round((by / before) * 100) : Number(by.toFixed(2));
  if (size === 0) return "和上期一样";
  const words = relative
    ? `${size}%`
    : unit === "percent"
      ? `${trimmed(by, 1)} 个百分点`
      : unit === "fen" || unit === "seconds"
        ? valueWords(by, unit)
        : trimmed(by, 2);
  return `比上期${value > before ? more : less} ${words}`;
}

/** What the number of one case is. */
export function caseWords(value: number | null, unit: Figure["case_unit"]): string {
  if (value === null) return "—";
  return unit === "yesno" ? (value ? "是" : "否") : valueWords(value, unit);
}

/** All days of a period: on those that the desk leaves out nothing was. */
export function everyDay(days: readonly Day[], from: string, to: string): Day[] {
  const known = new Map(days.map((one) => [one.day, one]));
  const all: Day[] = [];
  const [year = 0, month = 1, first = 1] = from.split("-").map(Number);
  for (let place = 0; place < MOST_DAYS; place += 1) {
    const day = dayOf(new Date(year, month - 1, first + place));
    if (day > to) break;
    all.push(known.get(day) ?? { day, cases: 0, anger_opening: null, closed: 0 });
  }
  return all;
}

const GROUPS_OF_PEOPLE: Record<Fairness["group"], string> = {
  anger: "开始时的情绪",
  tier: "会员等级",
  channel: "渠道",
};

/** Who is compared with whom, where it is asked whether all are treated alike. */
export function peopleWords(one: Fairness): string {
  const name = one.group === "channel" ? channelWords(String(one.key)) : one.name;
  return `${GROUPS_OF_PEOPLE[one.group] ?? one.group}：${name}`;
}

export interface Group {
  id: string;
  name: string;
  figures: Figure[];
}

/** The figures in their groups. */
export function grouped(figures: readonly Figure[]): Group[] {
  const found = new Map<string, Group>();
  for (const figure of figures) {
    const name = GROUPS.find(([id]) => id === figure.group)?.[1] ?? figure.group;
    const group = found.get(figure.group) ?? { id: figure.group, name, figures: [] };
    group.figures.push(figure);
    found.set(figure.group, group);
  }
  const place = (group: Group): number => {
    const at = GROUPS.findIndex(([id, name]) => id === group.id || name === group.id);
    return at < 0 ? GROUPS.length : at;
  };
  return [...found.values()].sort((a, b) => place(a) - place(b));
}
