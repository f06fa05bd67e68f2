import type { ExportedFile, ExportFormat } from '../../preload/contract/export.ts';
import type { VariantReport } from '../../preload/contract/jobs.ts';
import type { ModelRecord } from '../../preload/contract/models.ts';
import type { PassReport } from '../../preload/contract/recipe.ts';

/** What a model card tells. */
export interface CardFacts {
  readonly format: ExportFormat;
  readonly record: ModelRecord;
  /** How the model was made; null where no recipe made it. */
  readonly made: VariantReport | null;
  /** Version of each tool that wrote the export. */
  readonly versions: Readonly<Record<string, string>>;
  /** All files but the card. */
  readonly files: readonly ExportedFile[];
  /** The card that the model came with. */
  readonly original: string | null;
}

/** README.md of an export: front matter for the Hugging Face hub, then what was done and what is here. */
export function modelCard(facts: CardFacts): string {
  const { record, made, files, versions, original } = facts;
  const sections = [
    `# ${record.name}`,
    `${purpose[facts.format]} Written by Lathe ${versions['lathe'] ?? ''}.`,
    usage(facts),
    factsTable(record),
    made === null ? '' : recipeSection(made),
    `## Tools\n\n${list({ ...made?.versions, ...versions })}`,
    `## Files\n\n${filesTable(files)}`,
    original === null ? '' : originalSection(original),
  ];
  return `${frontMatter(facts)}\n\n${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

const purpose: Record<ExportFormat, string> = {
  'transformers-js': 'For transformers.js (`@huggingface/transformers`).',
  'onnxruntime-genai': 'For onnxruntime-genai.',
  'safetensors-f16': 'Weights in float16, for whatever reads Hugging Face folders.',
  lathe: 'A model of Lathe, to be opened or imported there.',
};

const libraries: Partial<Record<ExportFormat, string>> = {
  'transformers-js': 'transformers.js',
  'onnxruntime-genai': 'onnxruntime-genai',
  'safetensors-f16': 'transformers',
};

function frontMatter({ format, record, made }: CardFacts): string {
  const library = libraries[format];
  const tags = ['lathe', ...(made === null ? [] : made.passes.map(({ step }) => step.pass))];
  const lines = [
    ...(record.licence === null ? [] : [`license: ${quoted(record.licence)}`]),
    ...(record.parent === null ? [] : [`base_model: ${quoted(record.parent)}`]),
    ...(library === undefined ? [] : [`library_name: ${library}`]),
    'pipeline_tag: text-generation',
    `tags: [${[...new Set(tags)].map(quoted).join(', ')}]`,
  ];
  return `---\n${lines.join('\n')}\n---`;
}

/** A string of JSON is one of YAML. */
const quoted = (value: string): string =>
  /^[a-z][\w.-]*$/i.test(value) ? value : JSON.stringify(value);

function usage({ format, record }: CardFacts): string {
  const folder = JSON.stringify(record.name.split('/').at(-1));
  switch (format) {
    case 'transformers-js':
      return [
        '```js',
        "import { env, pipeline } from '@huggingface/transformers';",
        '',
        '// The folder above this one.',
        "env.localModelPath = '.';",
        `const generate = await pipeline('text-generation', ${folder});`,
        "console.log(await generate('Once upon a time', { max_new_tokens: 64 }));",
        '```',
        '',
        'Rows of a batch must be of one length: padding at the left is not supported.',
      ].join('\n');
    case 'onnxruntime-genai':
      return [
        '```python',
        'import onnxruntime_genai as og',
        '',
        `model = og.Model(${folder})`,
        '```',
      ].join('\n');
    case 'safetensors-f16':
      return [
        '```python',
        'from transformers import AutoModelForCausalLM',
        '',
        `model = AutoModelForCausalLM.from_pretrained(${folder})`,
        '```',
      ].join('\n');
    case 'lathe':
      return `\`lathe generate ./${record.name.split('/').at(-1)} --prompt "Once upon a time"\``;
  }
}

function factsTable(record: ModelRecord): string {
  const rows: [string, string][] = [
    ['Architecture', record.architecture],
    ['Parameters', String(record.parameters)],
    ['Stored before the export as', `${record.precision}, ${record.bytes} bytes`],
    ['Context', `${record.contextLength} tokens`],
    ['Vocabulary', `${record.vocabularySize} tokens`],
    ['Licence', record.licence ?? 'not stated'],
    ['SHA-256 of the weights in Lathe', `\`${record.sha256}\``],
  ];
  return table(['', ''], rows);
}

function recipeSection({ parent, parentSha256, recipe, passes, seconds }: VariantReport): string {
  const rows = passes.map((pass) => [
    pass.step.pass,
    String(pass.layers.length),
    String(pass.bytesBefore),
    String(pass.bytes),
    ...errors(pass),
    pass.seconds.toFixed(1),
  ]);
  const notes = [...new Set(passes.flatMap((pass) => pass.notes))];
  return [
    '## How it was made',
    `From ${parent} (SHA-256 of its weights \`${parentSha256}\`) in ${seconds.toFixed(1)} s, by this recipe:`,
    `\`\`\`json\n${JSON.stringify(recipe, null, 2)}\n\`\`\``,
    table(
      ['Pass', 'Layers', 'Bytes before', 'Bytes', 'Mean error', 'Largest error', 'Seconds'],
      rows,
    ),
    'Errors are relative: of the outputs over calibration text where a pass was calibrated, else of the weights.',
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join('\n')]),
  ].join('\n\n');
}

/** Mean and largest error over the layers of a pass, with the layer of the largest. */
function errors({ layers }: PassReport): [string, string] {
  const known = layers.flatMap(({ layer, errorAfter }) =>
    errorAfter === null ? [] : [{ layer, error: errorAfter }],
  );
  if (known.length === 0) return ['–', '–'];
  const mean = known.reduce((sum, { error }) => sum + error, 0) / known.length;
  const worst = known.reduce((most, one) => (one.error > most.error ? one : most));
  return [mean.toPrecision(3), `${worst.error.toPrecision(3)} (${worst.layer})`];
}

const filesTable = (files: readonly ExportedFile[]): string =>
  table(
    ['File', 'Bytes', 'SHA-256'],
    files.map(({ path, bytes, sha256 }) => [`\`${path}\``, String(bytes), `\`${sha256}\``]),
  );

const list = (versions: Readonly<Record<string, string>>): string =>
  Object.entries(versions)
    .map(([name, version]) => `- ${name} ${version}`)
    .join('\n');

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

/** The card as it was, one level down, without its front matter. */
function originalSection(original: string): string {
  const body = original.replace(/^---\r?\n.*?\r?\n---\r?\n/s, '').trim();
  if (body === '') return '';
  return `## The card it came with\n\n${body.replaceAll(/^#/gm, '##')}`;
}
