/** The pages of this site that were built, for the navigation. */
export interface PageLink {
  path: string;
  label: string;
}

/** Replaced by the build (vite.config.ts) with the pages it found. */
declare const __PAGES__: readonly PageLink[];

export const PAGES: readonly PageLink[] = __PAGES__;
