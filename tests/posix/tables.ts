/** All tables of the conformance suite. */
import type { Table } from './row.ts';
import { pathTable } from './tables/paths.ts';
import { permissionTable } from './tables/permissions.ts';

export const tables: readonly Table[] = [pathTable, permissionTable];
