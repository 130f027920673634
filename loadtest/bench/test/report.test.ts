import { describe, expect, it } from 'vitest';
import { type Goal, goals, outcome, ratio } from '../report/goals.ts';
import { markdown } from '../report/markdown.ts';
import { pictures } from '../report/pictures.ts';
import { replaceBetween } from '../report/report.ts';
import { linearScale, logScale } from '../report/scale.ts';
import { drawPicture } from '../report/svg.ts';
import { callLatency, callRow, mediaResults, results } from './fixture.ts';

function goal(figure: string, of = results()): Goal {
  const found = goals(of).find((one) => one.figure === figure);
  if (!found) throw new Error(`no figure "${figure}"`);
  return found;
}

describe('figures to reach', () => {
  it("are ours divided by the peer's", () => {
    expect(goal('CPU per call at 2,000 calls/s ÷ Kamailio, stateful').measured).toBe(0.5);
    expect(goal('highest call rate ÷ Kamailio, stateful').measured).toBe(1.5);
    expect(goal('CPU per registration with digest ÷ Kamailio').measured).toBe(0.75);
    expect(goal('latency at 1,000 calls/s, p99 ÷ Kamailio, stateful').measured).toBe(0.5);
  });

  it('take latency at half of our highest rate from the run at that rate', () => {
    const of = results();
    const row = of.calls!.rows.find((one) => one.peer === 'strowger' && one.callsPerSecond === 3_000)!;
    row.latency = callLatency(77, 150, 600);
    expect(goal('latency at half of the highest rate, p50', of).measured).toBe(77);
  });

  it('compare media with rtpengine', () => {
    const figure = 'media plain to plain, CPU per packet at 50 calls ÷ rtpengine';
    expect(goal(figure, mediaResults()).measured).toBe(0.8);
  });

  it('say what is reached', () => {
    const of = (measured: number | undefined, atMost: boolean) =>
      outcome({
        figure: '',
        unit: '',
        measured,
        goal: { atMost, value: 2 },
        atLeast: { atMost, value: atMost ? 3 : 1 },
      });
    expect([1, 2, 2.5, 3.1].map((value) => of(value, true))).toEqual(['goal', 'goal', 'at least', 'missed']);
    expect([3, 2, 1.5, 0.9].map((value) => of(value, false))).toEqual(['goal', 'goal', 'at least', 'missed']);
    expect(of(undefined, true)).toBe('not measured');
    expect(outcome({ figure: '', unit: '', measured: 2.5, goal: { atMost: true, value: 2 } })).toBe('missed');
  });

  it('are unknown where one side was not measured', () => {
    const of = results();
    of.calls!.rows = of.calls!.rows.filter(({ peer }) => peer === 'strowger');
    expect(goal('CPU per call at 2,000 calls/s ÷ Kamailio, stateful', of).measured).toBeUndefined();
    expect(goals({}).every((one) => outcome(one) === 'not measured')).toBe(true);
    expect(ratio(1, 0)).toBeUndefined();
  });
});

describe('the report', () => {
  const text = markdown(results(), (end) => `pictures/${end}.svg`);

  it('has a line for each run, with its figures', () => {
    expect(text).toContain('| 1,000 | Kamailio, stateful | 100 µs | 0.50 | 50 µs');
    expect(text).toContain('| no digest | Strowger | 3,000/s | 10 µs |  | 100,000 | 500 | 0 |');
    expect(text).toContain('| Kamailio, stateful | 4,000 calls/s | 4,500 calls/s | 1.50 |');
  });

  it('names the machine, the programs and the commit', () => {
    for (const part of ['Test CPU', 'abc1234', 'kamailio 5.6.3', '2026-01-02 03:04 UTC'])
      expect(text).toContain(part);
  });

  it('shows what was measured and nothing else', () => {
    expect(text).toContain('](pictures/calls.svg)');
    expect(text).not.toContain('## Media');
    expect(text).not.toMatch(/undefined|NaN/);
    expect(markdown(mediaResults(), String)).toContain('| 50 | rtpengine userspace | 10 µs');
    expect(markdown({}, String)).not.toMatch(/undefined|NaN|## Calls/);
  });

  it('replaces what is between the markers, and only that', () => {
    const begin = '<!-- begin: written by `npm run bench -- report --save` -->';
    const once = replaceBetween(`before\n${begin}\nold\n<!-- end -->\nafter\n`, 'new\n');
    expect(once).toBe(`before\n${begin}\n\nnew\n\n<!-- end -->\nafter\n`);
    expect(replaceBetween(once, 'new\n')).toBe(once);
    expect(() => replaceBetween('no markers', 'new')).toThrow('begin');
  });
});

describe('pictures', () => {
  it('are one for each subject that was measured', () => {
    expect(Object.keys(pictures(results()))).toEqual(['calls', 'latency', 'register']);
    expect(Object.keys(pictures(mediaResults()))).toEqual(['media']);
    expect(pictures({})).toEqual({});
  });

  it('draw a dot for each run and a hollow one for a run with failures', () => {
    const of = results();
    of.calls!.rows.push(callRow('strowger', 5_000, { failed: 1 }));
    const svg = drawPicture(pictures(of)['calls']!);
    const dots = [...svg.matchAll(/<circle class="s0[^"]*"/g)].map(([dot]) => dot.includes('flawed'));
    // One in the legend, and one for each of five rates in each of two panels.
    expect(dots).toHaveLength(11);
    expect(dots.filter(Boolean)).toHaveLength(2);
  });

  it('are well-formed, whatever the names are', () => {
    const svg = drawPicture({
      title: 'a < b & "c"',
      subtitle: '',
      panels: [
        {
          kind: 'bars',
          title: '',
          groups: ['g'],
          series: [{ name: '<s>', ink: 0, points: [{ x: 0, y: 1 }] }],
        },
      ],
    });
    expect(svg).toContain('a &lt; b &amp; &quot;c&quot;');
    expect(svg).not.toContain('<s>');
  });

  it('have room for no values at all', () => {
    const empty = { kind: 'lines', title: '', xTitle: '', series: [] } as const;
    for (const log of [false, true]) {
      const svg = drawPicture({ title: '', subtitle: '', log, panels: [{ ...empty, series: [] }] });
      expect(svg).not.toMatch(/NaN|Infinity/);
    }
  });
});

describe('axes', () => {
  it('end at a round number above the values', () => {
    expect(linearScale(187, 100).ticks).toEqual([0, 50, 100, 150, 200]);
    expect(linearScale(4_000, 100).ticks.at(-1)).toBe(4_000);
    expect(linearScale(4_000, 100).at(4_000)).toBe(100);
  });

  it('have 1, 2 and 5 times powers of ten when logarithmic', () => {
    const { at, ticks } = logScale(30, 900, 100);
    expect(ticks).toEqual([20, 50, 100, 200, 500, 1_000]);
    expect([at(20), at(1_000)]).toEqual([0, 100]);
  });
});
