/** What a request signature covers. Implementations: signature-v4.ts, signature-v2.ts. */

export interface SignableRequest {
  readonly method: string;
  /** As in the Host header. */
  readonly host: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[] | undefined;
}

export interface RequestSigner {
  /** All headers to send: those of the request and the signature's. @throws AuthenticationError if there are no credentials */
  sign(request: SignableRequest): Promise<Record<string, string>>;
}
