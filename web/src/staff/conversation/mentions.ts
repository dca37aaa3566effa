import type { Colleague } from "../../wire/staff";

/** What is being typed after the last `@`, up to the caret; null where no mention is being typed. */
export function mentionAt(text: string, caret: number): { from: number; word: string } | null {
  const found = /(?:^|[\s，。！？、；：])@([^\s@，。！？、；：]{0,20})$/u.exec(text.slice(0, caret));
  if (!found) return null;
  const word = found[1] ?? "";
  return { from: caret - word.length - 1, word };
}

/** The colleagues that a word may mean. */
export const meant = (colleagues: readonly Colleague[], word: string): Colleague[] =>
  colleagues.filter((one) => one.name.toLowerCase().includes(word.toLowerCase())).slice(0, 6);

/** Puts a colleague's name in place of what was typed. Returns the text and where the caret goes. */
export function mention(
  text: string,
  at: { from: number; word: string },
  name: string,
): { text: string; caret: number } {
  const head = `${text.slice(0, at.from)}@${name} `;
  return { text: head + text.slice(at.from + 1 + at.word.length).trimStart(), caret: head.length };
}

/** The ids of those whose names stand after an `@`; a longer name goes before one that begins it. */
export function mentioned(text: string, colleagues: readonly Colleague[]): number[] {
  let rest = text;
  const found: number[] = [];
  const byLength = [...colleagues].sort((one, other) => other.name.length - one.name.length);
  for (const one of byLength) {
    if (!rest.includes(`@${one.name}`)) continue;
    found.push(one.id);
    rest = rest.replaceAll(`@${one.name}`, " ");
  }
  return found;
}
