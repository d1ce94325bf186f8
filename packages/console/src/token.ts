/**
 * The bearer token arrives in the URL's fragment, which no server and no log ever sees, and leaves the address
 * bar at once. It lives in this tab's session storage only.
 */
const KEY = "rumi.token";

export function takeToken(): string | null {
  const fragment = new URLSearchParams(window.location.hash.slice(1));
  const given = fragment.get("token");
  if (given !== null && given !== "") {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", window.location.pathname + window.location.search);
  }
  return sessionStorage.getItem(KEY);
}

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

export function dropToken(): void {
  sessionStorage.removeItem(KEY);
}
