/** The largest and smallest side of a picture in a bubble, in CSS pixels. */
const WIDEST = 240;
const HIGHEST = 320;
const LEAST = 88;

/**
 * The room that a picture takes in a bubble, known before it is loaded, so that nothing jumps.
 * What is far longer than wide shows its beginning.
 */
export function pictureBox(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, WIDEST / width, HIGHEST / height);
  const fit = (side: number, most: number): number =>
    Math.round(Math.min(most, Math.max(LEAST, side * scale)));
  return { width: fit(width, WIDEST), height: fit(height, HIGHEST) };
}
