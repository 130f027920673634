/** Number types of AssemblyScript, so that files which are also plain TypeScript (abi.ts) can name them. */
type u32 = number;
