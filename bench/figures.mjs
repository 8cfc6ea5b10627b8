/** Figures of the results: how much of its limit each kernel reaches, and times beside other libraries. */
import { figureFrame, palette, seriesColours, seriesShapes, writeFigure } from '@statespace/experiments';

/** Writes them into `folder`; returns the paths of their files. */
export async function saveFigures({ rows, peers, machine, threads, date }, folder) {
  const subtitle = `${machine.known?.name ?? machine.cpu}, ${threads} threads, Node ${machine.node}, ${date.slice(0, 10)}`;
  const figures = { 'part-of-limit': limitFigure(rows, subtitle) };
  if (peers !== undefined) figures['beside-others'] = peersFigure(peers.cases, subtitle);
  const paths = [];
  for (const [name, figure] of Object.entries(figures)) {
    if (figure === undefined) continue;
    paths.push(...Object.values(await writeFigure(figure, folder, name)));
  }
  return paths;
}

function limitFigure(rows, subtitle) {
  const values = rows
    .filter(({ group }) => group === 'kernels')
    .map(({ name, isa, value, wanted, met }) => ({
      name,
      isa,
      part: 100 * value,
      wanted: 100 * wanted,
      met,
    }));
  if (values.length === 0) return undefined;
  return {
    ...figureFrame({
      title: 'Kernels beside the limits of the machine',
      subtitle: [subtitle, 'bars: reached, orange where missed; lines: wanted'],
    }),
    data: { values },
    facet: { column: { field: 'isa', title: null, sort: { op: 'count' }, header: { labelFontSize: 13 } } },
    spec: {
      width: 260,
      height: { step: 24 },
      encoding: { y: { field: 'name', type: 'nominal', title: null, sort: null, axis: { labelLimit: 0 } } },
      layer: [
        {
          mark: { type: 'bar', height: 14 },
          encoding: {
            x: {
              field: 'part',
              type: 'quantitative',
              title: 'part of the limit, %',
              scale: { domain: [0, 150], clamp: true },
            },
            color: {
              field: 'met',
              type: 'nominal',
              legend: null,
              scale: { domain: [true, false], range: [palette.blue, palette.orange] },
            },
          },
        },
        {
          mark: { type: 'tick', thickness: 2.5, size: 20, color: palette.black },
          encoding: { x: { field: 'wanted', type: 'quantitative' } },
        },
        {
          mark: { type: 'text', align: 'left', dx: 4, fontSize: 11 },
          encoding: {
            x: { field: 'part', type: 'quantitative' },
            text: { field: 'part', type: 'quantitative', format: '.0f' },
          },
        },
      ],
    },
  };
}

function peersFigure(cases, subtitle) {
  const values = cases.flatMap(({ case: name, ours, contenders }) =>
    contenders.map((one) => ({
      case: ours.training === undefined ? name : `${name}, ${one.direction}`,
      contender: one.name,
      ratio: one.seconds / ours[one.direction],
    })),
  );
  if (values.length === 0) return undefined;
  const names = [...new Set(values.map(({ contender }) => contender))];
  const colours = names.map((_, i) => seriesColours[i % seriesColours.length]);
  // A mark further on with every round of the colours, so that no two contenders look the same.
  const shapes = names.map(
    (_, i) => seriesShapes[(i + Math.floor(i / seriesColours.length)) % seriesShapes.length],
  );
  const legend = { title: null, orient: 'right', symbolType: undefined, labelLimit: 0 };
  return {
    ...figureFrame({
      title: 'Times of other libraries beside ours',
      subtitle: [subtitle, 'same inputs, same cores, in turns in one run; the line is statespace'],
    }),
    width: 420,
    height: { step: 28 },
    data: { values },
    encoding: {
      y: { field: 'case', type: 'nominal', title: null, sort: null, axis: { labelLimit: 0, grid: true } },
    },
    layer: [
      {
        mark: { type: 'rule', color: palette.black, strokeWidth: 1.5 },
        encoding: { x: { datum: 1 }, y: null },
      },
      {
        mark: { type: 'point', filled: true, size: 75, opacity: 1 },
        encoding: {
          x: {
            field: 'ratio',
            type: 'quantitative',
            title: 'times as long as statespace',
            scale: { type: 'log', domain: [0.7, 1000], nice: false },
            axis: { values: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
          },
          color: {
            field: 'contender',
            type: 'nominal',
            scale: { domain: names, range: colours },
            legend,
          },
          shape: {
            field: 'contender',
            type: 'nominal',
            scale: { domain: names, range: shapes },
            legend,
          },
        },
      },
    ],
  };
}
