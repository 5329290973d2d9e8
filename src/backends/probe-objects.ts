/**
 * Objects by which a store is tried out when it is opened. Whoever makes one removes it; a process that dies in between leaves it, with nothing in it
 * that anybody needs: who lists a store passes it over.
 */
export const PROBE_PREFIX: string = 's3ql_probe_';
