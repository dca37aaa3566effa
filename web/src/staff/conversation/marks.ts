/** A part of a text, and whether it is one that a warning means. */
export interface Piece {
  text: string;
  marked: boolean;
}

/** Cuts a text where words stand that are to be marked; overlapping ones are one mark. */
export function piecesOf(text: string, words: readonly string[]): Piece[] {
  const marked = new Array<boolean>(text.length).fill(false);
  for (const word of words) {
    if (!word) continue;
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
      marked.fill(true, at, at + word.length);
    }
  }
  const pieces: Piece[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const last = pieces.at(-1);
    if (last && last.marked === marked[at]) last.text += text[at];
    else pieces.push({ text: text[at] ?? "", marked: marked[at] ?? false });
  }
  return pieces;
}
