import type { EvaluationRecord } from '../../preload/contract/evaluation.ts';

/** Ways to write records down for other programs and for people. */
export const recordFormats = ['json', 'csv', 'markdown'] as const;
export type RecordFormat = (typeof recordFormats)[number];

/** Measurements in full, with what they were measured on and with. */
export function writeRecords(records: readonly EvaluationRecord[], format: RecordFormat): string {
  switch (format) {
    case 'json':
      return JSON.stringify(records, null, 2);
    case 'csv':
      return tableOf(records)
        .map((cells) => cells.map(csvCell).join(','))
        .join('\r\n');
    case 'markdown': {
      const [header, ...rows] = tableOf(records);
      const line = (cells: readonly string[]): string =>
        `| ${cells.map(markdownCell).join(' | ')} |`;
      return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
    }
  }
}

/** A line of names and one per record; what was not measured is empty. */
function tableOf(records: readonly EvaluationRecord[]): string[][] {
  const rows = records.map(rowOf);
  return [Object.keys(rows[0]), ...rows.map((row) => Object.values(row).map(cellOf))];
}

const cellOf = (value: string | number | null | undefined): string => String(value ?? '');

function rowOf(record: EvaluationRecord): Record<string, string | number | null | undefined> {
  const { against, ci95, versions, machine } = record;
  return {
    metric: record.metric,
    model: record.model,
    value: record.value,
    low95: ci95?.[0],
    high95: ci95?.[1],
    n: record.n,
    base: record.base,
    baseValue: against?.value,
    difference: against?.difference,
    differenceLow95: against?.ci95?.[0],
    differenceHigh95: against?.ci95?.[1],
    pValue: against?.pValue,
    data: record.data,
    protocol: record.protocol,
    device: record.device,
    threads: record.threads,
    measuredAt: new Date(record.measuredAt).toISOString(),
    modelSha256: record.modelSha256,
    dataSha256: record.dataSha256,
    versions: Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join('; '),
    machine: [machine.cpu, `${machine.cores} cores`, machine.platform, machine.release].join('; '),
  };
}

/** Quoted where a reader would take it for several (RFC 4180). */
const csvCell = (text: string): string =>
  /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

const markdownCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
