const LEAST = 10;

/** What is wrong with a new password at first sight; the desk knows the common ones. */
export function passwordTrouble(password: string, login: string): string | null {
  if ([...password].length < LEAST) return `密码至少要 ${LEAST} 个字符。`;
  if (password.trim().toLowerCase() === login.trim().toLowerCase()) return "密码不能和账号一样。";
  return null;
}
