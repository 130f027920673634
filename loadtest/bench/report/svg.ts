/** A small writer of SVG charts that can be read on a light and on a dark page. */
import { linearScale, logScale, type Scale } from './scale.ts';

/** How a series is drawn. */
export type Ink = 0 | 1 | 2 | 3 | 4 | 5;

export interface Point {
  x: number;
  y: number;
  /** Drawn hollow: calls failed or messages were retransmitted in the run. */
  flawed?: boolean;
}

export interface Series {
  name: string;
  ink: Ink;
  points: Point[];
}

/** A line for each series over a linear x axis. */
export interface LinePanel {
  kind: 'lines';
  title: string;
  xTitle: string;
  series: Series[];
}

/** Groups of bars, one bar in each group for each series: `points` are in the order of `groups`, x is not used. */
export interface BarPanel {
  kind: 'bars';
  title: string;
  groups: string[];
  series: Series[];
}

export type Panel = LinePanel | BarPanel;

export interface Picture {
  title: string;
  /** One line below the title. */
  subtitle: string;
  panels: Panel[];
  /** The panels have one logarithmic y axis in common; values below 1 are drawn as 1. */
  log?: boolean;
}

const WIDTH = 920;
const MARGIN = 24;
const HEAD = 92;
const PANEL_HEIGHT = 250;
/** Around the plot of a panel: for its title, its numbers and the title of its x axis. */
const PLOT = { top: 34, right: 14, bottom: 44, left: 46 };

/** What a hollow dot means. */
const FLAWED = 'hollow: calls failed or were retransmitted';

const STYLE = `
  .page { fill: #ffffff } .title { fill: #14181f; font-size: 17px; font-weight: 600 }
  .text { fill: #57606a; font-size: 12px } .strong { fill: #14181f; font-size: 12.5px; font-weight: 600 }
  .grid { stroke: #e3e6ea } .axis { stroke: #9aa3ad }
  .s0 { --ink: #1f5fd0 } .s1 { --ink: #c2410c } .s2 { --ink: #8a6d00 } .s3 { --ink: #6b4fbb } .s4 { --ink: #0f7b6c } .s5 { --ink: #a3326f }
  .line { stroke: var(--ink); stroke-width: 2; fill: none; stroke-linejoin: round }
  .s2.line { stroke-dasharray: 6 4 } .s3.line { stroke-dasharray: 2 4; stroke-linecap: round }
  .dot { fill: var(--ink); stroke: var(--ink); stroke-width: 2 } .bar { fill: var(--ink) }
  .flawed { --hollow: #ffffff; fill: var(--hollow) }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0f141b } .title, .strong { fill: #e8ecf1 } .text { fill: #a3adb9 }
    .grid { stroke: #252d38 } .axis { stroke: #5d6875 }
    .s0 { --ink: #6ea8ff } .s1 { --ink: #ff9d5c } .s2 { --ink: #e2c044 } .s3 { --ink: #b9a3ff } .s4 { --ink: #4fd0bb } .s5 { --ink: #f08fc0 }
    .flawed { --hollow: #0f141b }
  }`;

/** The picture as an SVG document. */
export function drawPicture({ title, subtitle, panels, log = false }: Picture): string {
  const columns = Math.min(panels.length, 3);
  const rows = Math.ceil(panels.length / columns);
  const width = (WIDTH - 2 * MARGIN - (columns - 1) * MARGIN) / columns;
  const height = HEAD + rows * PANEL_HEIGHT + MARGIN / 2;
  const drawn = panels.map((panel, i) => {
    const x = MARGIN + (i % columns) * (width + MARGIN);
    const y = HEAD + Math.floor(i / columns) * PANEL_HEIGHT;
    return `<g transform="translate(${num(x)} ${num(y)})">${drawPanel(panel, width, log ? panels : undefined)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img"`,
    ` font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif">`,
    `<title>${escapeXml(title)}</title><style>${STYLE}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>`,
    text(MARGIN, 32, title, 'title'),
    text(MARGIN, 52, subtitle, 'text'),
    drawLegend(panels),
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

/** The series of all panels, each once. */
function drawLegend(panels: Panel[]): string {
  const all = new Map(panels.flatMap(({ series }) => series.map((one) => [one.name, one] as const)));
  const marker = panels[0]?.kind === 'bars' ? barMarker : lineMarker;
  let x = MARGIN;
  const parts: string[] = [];
  for (const { name, ink } of all.values()) {
    parts.push(marker(x, 72, ink), text(x + 34, 76, name, 'strong'));
    x += 34 + name.length * 7.2 + 28;
  }
  if (panels.some(({ series }) => series.some(({ points }) => points.some(({ flawed }) => flawed)))) {
    const right = WIDTH - MARGIN;
    parts.push(dot(right - 5.8 * FLAWED.length - 8, 28, 's1 flawed'), text(right, 32, FLAWED, 'text', 'end'));
  }
  return parts.join('');
}

function lineMarker(x: number, y: number, ink: Ink): string {
  return `<path class="s${ink} line" d="M${num(x)} ${y}h26"/>${dot(x + 13, y, `s${ink}`)}`;
}

function barMarker(x: number, y: number, ink: Ink): string {
  return `<rect class="s${ink} bar" x="${num(x + 8)}" y="${y - 6}" width="18" height="12" rx="2"/>`;
}

/** @param logOver  the panels with which it shares a logarithmic axis */
function drawPanel(panel: Panel, width: number, logOver: Panel[] | undefined): string {
  const plot = {
    width: width - PLOT.left - PLOT.right,
    height: PANEL_HEIGHT - PLOT.top - PLOT.bottom,
  };
  const y = logOver ? logScaleOver(logOver, plot.height) : linearScaleOver(panel, plot.height);
  const content = panel.kind === 'lines' ? drawLines(panel, plot, y) : drawBars(panel, plot, y);
  return [
    text(0, 14, panel.title, 'strong'),
    `<g transform="translate(${PLOT.left} ${PLOT.top})">`,
    drawGrid(y, plot),
    content,
    '</g>',
  ].join('');
}

/** Bars have room for their numbers above them. */
function linearScaleOver(panel: Panel, pixels: number): Scale {
  return linearScale(Math.max(...valuesOf([panel]), 0) * (panel.kind === 'bars' ? 1.1 : 1), pixels);
}

function logScaleOver(panels: Panel[], pixels: number): Scale {
  const values = valuesOf(panels).map(atLeastOne);
  if (values.length === 0) return linearScale(1, pixels);
  const { at, ticks } = logScale(Math.min(...values), Math.max(...values), pixels);
  return { at: (value) => at(atLeastOne(value)), ticks };
}

function valuesOf(panels: Panel[]): number[] {
  const points = panels.flatMap(({ series }) => series.flatMap((one) => one.points));
  return points.map(({ y }) => y).filter(Number.isFinite);
}

function atLeastOne(value: number): number {
  return Math.max(value, 1);
}

interface Size {
  width: number;
  height: number;
}

function drawGrid(y: Scale, { width, height }: Size): string {
  return y.ticks
    .map((tick, i) => {
      const at = num(height - y.at(tick));
      const line = `<path class="${i === 0 ? 'axis' : 'grid'}" d="M0 ${at}h${num(width)}"/>`;
      return line + text(-8, Number(at) + 4, short(tick), 'text', 'end');
    })
    .join('');
}

function drawLines(panel: LinePanel, size: Size, y: Scale): string {
  const x = linearScale(
    Math.max(...panel.series.flatMap(({ points }) => points.map((one) => one.x)), 0),
    size.width,
  );
  const numbers = x.ticks.map((tick) => text(x.at(tick), size.height + 18, short(tick), 'text', 'middle'));
  const lines = panel.series.map(({ ink, points }) => {
    const places = points
      .filter((one) => Number.isFinite(one.y))
      .map((one) => ({ ...one, px: x.at(one.x), py: size.height - y.at(one.y) }));
    const path = places.map(({ px, py }, i) => `${i === 0 ? 'M' : 'L'}${num(px)} ${num(py)}`).join('');
    const dots = places.map(({ px, py, flawed }) => dot(px, py, `s${ink}${flawed ? ' flawed' : ''}`));
    return `<path class="s${ink} line" d="${path}"/>${dots.join('')}`;
  });
  // The first series is ours: drawn last, so that it lies on top.
  return [
    ...numbers,
    text(size.width / 2, size.height + 38, panel.xTitle, 'text', 'middle'),
    ...lines.reverse(),
  ].join('');
}

function drawBars(panel: BarPanel, size: Size, y: Scale): string {
  const slot = size.width / Math.max(panel.groups.length, 1);
  const bar = Math.min((slot * 0.8) / Math.max(panel.series.length, 1), 46);
  return panel.groups
    .map((group, g) => {
      const middle = slot * (g + 0.5);
      const first = middle - (bar * panel.series.length) / 2;
      const bars = panel.series.map(({ ink, points }, s) => {
        const value = points[g]?.y ?? Number.NaN;
        if (!Number.isFinite(value)) return '';
        const height = Math.max(y.at(Math.max(value, 0)), 1);
        const left = first + s * bar;
        return (
          `<rect class="s${ink} bar" x="${num(left + 2)}" y="${num(size.height - height)}" ` +
          `width="${num(bar - 4)}" height="${num(height)}" rx="2"/>` +
          text(left + bar / 2, size.height - height - 5, short(value), 'text', 'middle')
        );
      });
      return bars.join('') + text(middle, size.height + 18, group, 'text', 'middle');
    })
    .join('');
}

function dot(x: number, y: number, style: string): string {
  return `<circle class="${style} dot" cx="${num(x)}" cy="${num(y)}" r="3.5"/>`;
}

function text(x: number, y: number, content: string, style: string, anchor?: 'middle' | 'end'): string {
  const where = anchor ? ` text-anchor="${anchor}"` : '';
  return `<text class="${style}" x="${num(x)}" y="${num(y)}"${where}>${escapeXml(content)}</text>`;
}

/** Three digits at most, thousands as k. */
function short(value: number): string {
  if (value >= 1_000) return `${Number((value / 1_000).toPrecision(3))}k`;
  return String(Number(value.toPrecision(value >= 100 ? 3 : 2)));
}

function num(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeXml(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
