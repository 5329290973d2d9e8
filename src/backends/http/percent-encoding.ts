/** Text in URLs: everything but `A-Za-z0-9-._~` is percent-encoded, which servers take anywhere and which Amazon's signatures demand. */

/** A whole path with slashes in it, which stay. */
export function encodePath(text: string): string {
  return text.split('/').map(encodeComponent).join('/');
}

/** One component of a path or query. */
export function encodeComponent(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** `a=1&b=2`; empty for no parameters. */
export function encodeQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encodeComponent(name)}=${encodeComponent(value)}`)
    .join('&');
}
