/** Codes as they are typed and shown: two halves of four. */

/** Eight letters and digits, however they were typed. */
export function bareCode(typed: string): string {
  return typed
    .normalize("NFKC")
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, "");
}

export const isWholeCode = (typed: string): boolean => bareCode(typed).length === 8;

/** How long a code still holds, in words; empty once it does not. */
export function leftWords(expires: string, now: number): string {
  const seconds = Math.ceil((Date.parse(expires) - now) / 1000);
  if (!(seconds > 0)) return "";
  return seconds > 60 ? `还有 ${Math.ceil(seconds / 60)} 分钟有效` : `还有 ${seconds} 秒有效`;
}
