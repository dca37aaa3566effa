import type { Canned } from "../../wire/staff";
import { angerWords } from "../words";

/** The variables that a canned reply may have, each with what it might become. */
export const VARIABLES: Record<string, string> = {
  顾客: "林一",
  商家: "岚庭酒店",
  事情: "房间没打扫干净这件事",
  订单号: "LT202611180012",
  客服: "小何",
  时限: "今天18点前",
};

/** Names in braces that are no variable, each once. */
export function unknownVariables(text: string): string[] {
  const names = Array.from(text.matchAll(/\{([^{}]*)\}/g), ([, name]) => name ?? "");
  return [...new Set(names.filter((name) => !(name in VARIABLES)))];
}

/** The words as a customer might read them. */
export function example(text: string): string {
  return text.replaceAll(/\{([^{}]*)\}/g, (raw, name: string) => VARIABLES[name] ?? raw);
}

/** For which anger a reply is meant, in words. */
export function angerRange(least: number, most: number): string {
  if (least <= 0 && most >= 3) return "任何情绪";
  return least === most ? angerWords(least) : `${angerWords(least)}到${angerWords(most)}`;
}

/** Those that somebody looks for: by title, words or shortcut. */
export function matching(replies: readonly Canned[], wanted: string): Canned[] {
  const words = wanted.trim().toLowerCase();
  if (!words) return [...replies];
  return replies.filter((one) =>
    `${one.title}\n${one.text}\n${one.shortcut ?? ""}`.toLowerCase().includes(words),
  );
}
