/** Light, dark, or as the system has it; remembered in this browser and shared by all pages. */
export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'strowger.theme';
export const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

export function readTheme(): Theme {
  const stored = localStorage.getItem(KEY) as Theme | null;
  return stored !== null && THEMES.includes(stored) ? stored : 'auto';
}

/** Sets the theme of this page, and of those opened later. */
export function applyTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  localStorage.setItem(KEY, theme);
}
