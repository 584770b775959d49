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
