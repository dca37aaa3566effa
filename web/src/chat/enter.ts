/** What of a key press decides whether it sends. */
export type KeyPress = Pick<
  KeyboardEvent,
  "key" | "shiftKey" | "ctrlKey" | "altKey" | "metaKey" | "isComposing" | "keyCode"
>;

/**
 * Whether a key press sends the message.
 *
 * With a Chinese input method Enter first accepts the letters typed so far. Browsers say so by
 * `isComposing`; Safari ends the composition before the key press and leaves only the old key
 * code 229.
 */
export function sendsMessage(press: KeyPress): boolean {
  if (press.key !== "Enter" || press.isComposing || press.keyCode === 229) return false;
  return !press.shiftKey && !press.altKey && !press.ctrlKey && !press.metaKey;
}
