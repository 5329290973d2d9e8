/** `fetch` by means of our HTTP client, for libraries that bring their own protocol but should use our proxies, certificates and time-outs. */
import type { HttpClient } from './http-client.ts';

const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

export function fetchWith(http: HttpClient): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { origin, pathname, search } = new URL(request.url);
    const body = request.body === null ? undefined : [new Uint8Array(await request.arrayBuffer())];
    const response = await http.request({
      method: request.method,
      origin,
      path: pathname + search,
      headers: Object.fromEntries(request.headers),
      signal: request.signal,
      ...(body === undefined ? {} : { body }),
    });
    return new Response(NO_BODY.has(response.status) ? null : response.body, { status: response.status, headers: response.headers });
  };
}
