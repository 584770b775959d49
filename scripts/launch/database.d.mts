import type { Children } from './children.mjs';

/** Starts a database server whose data are gone when it stops; gives its address without a database name. */
export function startPassingDatabase(
  children: Children,
  options: {
    tools: { mongod?: string; secantusd?: string };
    port: number;
    folder: string;
    log: string;
  },
): Promise<string>;

/** Starts a database server of our own that keeps its data in the folder; gives its address. */
export function startDatabase(
  children: Children,
  options: {
    tools: { mongod?: string; secantusd?: string };
    port: number;
    folder: string;
    log: string;
    name?: string;
  },
): Promise<string>;
