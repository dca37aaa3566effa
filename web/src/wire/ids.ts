/**
 * A fresh id for something that this page says: 128 random bits in hex.
 *
 * `crypto.randomUUID` exists only on secure origins, and a desk on a local network is often
 * reached over plain HTTP; `getRandomValues` exists everywhere.
 */
export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
