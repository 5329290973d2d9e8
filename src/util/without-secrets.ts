/** What may be shown to everybody of a message that a store's client made: signatures and credentials in addresses and headers go. */

const HIDDEN: readonly (readonly [RegExp, string])[] = [
  // user:password@ and the query of an address
  [/(\w+:\/\/)[^\s/@]+@/g, '$1'],
  [/(\w+:\/\/[^\s?]+)\?\S*/g, '$1?...'],
  [/\b((?:authorization|x-auth-token|x-amz-security-token|cookie)["']?\s*[:=]\s*)[^\r\n]*/gi, '$1...'],
  [/\b(bearer|basic)\s+[\w+/=._~-]{8,}/gi, '$1 ...'],
];

export function withoutSecrets(message: string): string {
  return HIDDEN.reduce((text, [pattern, replacement]) => text.replaceAll(pattern, replacement), message);
}
