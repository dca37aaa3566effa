/** Sums and shares as people type them, turned into whole numbers without ever being floats. */

/** Full-width digits, points and signs, as a Chinese keyboard gives them. */
function narrow(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, (one) => String.fromCharCode(one.charCodeAt(0) - 0xfee0))
    .replace(/。/g, ".")
    .trim();
}

/** A number with at most two decimals as hundredths; null for anything else. */
function hundredths(text: string): number | null {
  const found = /^(\d{1,9})(?:\.(\d{0,2}))?$/.exec(text);
  if (!found) return null;
  const [, whole = "", rest = ""] = found;
  return Number(whole + rest.padEnd(2, "0"));
}

/** Yuan as typed (`15`, `15.5`, `￥1,500.50`, `15元`) in fen; null for what is no such sum. */
export function fenOf(text: string): number | null {
  const plain = narrow(text)
    .replace(/^[¥￥]\s*/, "")
    .replace(/\s*元$/, "");
  if (/,/.test(plain) && !/^\d{1,3}(,\d{3})+(\.\d*)?$/.test(plain)) return null;
  return hundredths(plain.replaceAll(",", ""));
}

/** A percentage as typed (`15`, `12.5%`) in basis points; null for what is none. */
export function basisPointsOf(text: string): number | null {
  return hundredths(narrow(text).replace(/\s*%$/, ""));
}

/** A whole number as typed; null for anything else. */
export function wholeOf(text: string): number | null {
  const plain = narrow(text);
  return /^\d{1,9}$/.test(plain) ? Number(plain) : null;
}

/** Hundredths as one would type them: `1550` is `15.50`, `1500` is `15`. */
export function typed(value: number): string {
  const digits = String(value).padStart(3, "0");
  const rest = digits.slice(-2);
  return rest === "00" ? digits.slice(0, -2) : `${digits.slice(0, -2)}.${rest}`;
}
