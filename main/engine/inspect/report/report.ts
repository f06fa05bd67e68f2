import type {
  Blame,
  Difference,
  DifferenceRequest,
} from '../../../../preload/contract/inspect/index.ts';
import type { ModelRecord } from '../../../../preload/contract/models.ts';
import { markup, styleSheet, type Markup } from './html.ts';
import { cosineLine, headGrid } from './pictures.ts';
import { style } from './style.ts';
import { largestSection, textSection, token } from './text.ts';
import { nats, percent, probability, size } from './words.ts';

/** All that a report of a comparison tells. */
export interface ReportFacts {
  readonly request: DifferenceRequest;
  readonly difference: Difference;
  /** What a search for blame found, where there was one. */
  readonly blame: Blame | null;
  /** The base, the variant. */
  readonly models: readonly [ModelRecord, ModelRecord];
  /** Version of each tool that took part. */
  readonly versions: Readonly<Record<string, string>>;
  readonly madeAt: Date;
}

/** A comparison as one page of HTML that needs nothing else: no script, no font, no network. */
export function differenceReport(facts: ReportFacts): string {
  const { difference, versions, madeAt } = facts;
  const title = `${difference.base} and ${difference.variant} on one text`;
  const policy = "default-src 'none'; style-src 'unsafe-inline'";
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${styleSheet(style)}
      </head>
      <body>
        <h1>${title}</h1>
        <p class="quiet">${madeAt.toISOString().slice(0, 16).replace('T', ' ')} UTC</p>
        ${summary(facts)} ${textSection(difference)} ${largestSection(difference)}
        ${insideSection(difference)} ${blameSection(facts)} ${modelsSection(facts)}
        <footer>
          Written by
          ${Object.entries(versions)
            .map(([name, version]) => `${name} ${version}`)
            .join(', ')}.
        </footer>
      </body>
    </html> `.text;
}

function summary({ difference }: ReportFacts): Markup {
  const { tokens, promptTokens, positions, firstDivergence } = difference;
  const kls = positions.map(({ kl }) => kl).toSorted((a, b) => a - b);
  const mean = kls.reduce((sum, kl) => sum + kl, 0) / kls.length;
  const agree = positions.filter(({ base, variant }) => base.top.id === variant.top.id).length;
  const rows: [string, string][] = [
    ['Tokens read', `${tokens.length} (${promptTokens} of the prompt, the others by the base)`],
    [
      'Same most probable token',
      `${percent(agree / positions.length)} of ${positions.length} places`,
    ],
    ['KL divergence, mean', `${nats(mean)} nats`],
    ['KL divergence, median', `${nats(kls[kls.length >> 1])} nats`],
    ['KL divergence, largest', `${nats(kls[kls.length - 1])} nats`],
  ];
  return markup`<p>${parting(difference, firstDivergence)}</p>
    <table>
      ${rows.map(
        ([name, value]) =>
          markup`<tr>
            <th>${name}</th>
            <td>${value}</td>
          </tr>`,
      )}
    </table>`;
}

function parting({ tokens, promptTokens, positions }: Difference, at: number | null): Markup {
  const written = tokens.length - promptTokens;
  if (written === 0) return markup`Nothing was written behind the prompt.`;
  if (at === null) {
    return markup`Both models write the same ${written} tokens behind this prompt, choosing the most
    probable one each time.`;
  }
  const { base, variant } = positions[at - 1];
  return markup`They part at token ${at + 1}, the ${ordinal(at - promptTokens + 1)} written: the base
  goes on with ${token(base.top)} (${probability(base.topLogprob)}), the variant would write
  ${token(variant.top)} (${probability(variant.topLogprob)}).`;
}

function insideSection({ heads, headDivergence, residualCosine, note }: Difference): Markup {
  const grid =
    heads === null || headDivergence === null
      ? markup`<p>
          Attention patterns were not compared: ${note ?? 'the two have not the same heads'}.
        </p>`
      : markup`<figure>
          ${headGrid(heads, headDivergence)}
          <figcaption>
            Jensen–Shannon divergence of the two attention patterns of each head in bits, mean over
            the tokens that look: 0 for equal patterns, 1 for patterns that have nothing in common.
          </figcaption>
        </figure>`;
  const line =
    residualCosine.length === 0
      ? null
      : markup`<h2>Residual stream</h2>
          <figure>
            ${cosineLine(residualCosine)}
            <figcaption>
              Cosine of the two models’ residual streams behind the embedding and each block, mean
              over the tokens.
            </figcaption>
          </figure>`;
  return markup`<h2>Heads</h2>
    ${grid}${line}`;
}

function blameSection({ blame }: ReportFacts): Markup | null {
  if (blame === null) return null;
  const { suspects, sufficient, runs, position, expected, given } = blame;
  const rows = suspects.map(
    ({ layer, effect, restores }) =>
      markup`<tr>
        <td><code>${layer}</code></td>
        <td class="n">${percent(effect)}</td>
        <td>${restores ? 'yes' : 'no'}</td>
      </tr>`,
  );
  const flipped = expected.id !== given.id;
  const what = flipped
    ? markup`At token ${position + 1} the base finds ${token(expected)} most probable and the variant
      ${token(given)}.`
    : markup`Both models find ${token(expected)} most probable at token ${position + 1}, where they
      differ most.`;
  const enough =
    sufficient.length === 0
      ? null
      : markup`<p>
          The fewest of the worst that together bring the base’s token back:
          ${sufficient.map((layer, at) => markup`${at === 0 ? '' : ', '}<code>${layer}</code>`)}.
        </p>`;
  return markup`<h2>Who is to blame</h2>
    <p>
      ${what} Layers of the base were put back into the variant in ${runs} runs; the effect is how
      much of the KL divergence at this token goes away with one of them.
    </p>
    <table>
      <thead>
        <tr>
          <th>Layer</th>
          <th class="n">Effect</th>
          <th>Alone brings the token back</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    ${flipped ? enough : null}`;
}

function modelsSection({ models, request }: ReportFacts): Markup {
  const columns = models.map((record): [string, string][] => [
    ['Name', record.name],
    ['Made from', record.parent ?? '–'],
    ['Architecture', record.architecture],
    ['Precision', record.precision],
    ['Weights', record.parameters.toLocaleString('en')],
    ['Size', size(record.bytes)],
    ['sha256 of the weights', record.sha256],
  ]);
  const rows = columns[0].map(
    ([name, value], at) =>
      markup`<tr>
        <th>${name}</th>
        <td>${value}</td>
        <td>${columns[1][at][1]}</td>
      </tr>`,
  );
  const kind = request.prompt.kind === 'chat' ? 'a chat, by the model’s template' : 'a text';
  return markup`<h2>Models</h2>
    <table>
      <thead>
        <tr>
          <th></th>
          <th>Base</th>
          <th>Variant</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    <p class="quiet">
      The prompt was ${kind}. The base wrote at most ${request.newTokens} tokens behind it, each the
      most probable one; both models read all of them in the same steps. Divergences are KL(base ‖
      variant) over the whole vocabulary, computed in float64.
    </p>`;
}

function ordinal(number: number): string {
  const [tens, ones] = [number % 100, number % 10];
  const ending = tens > 10 && tens < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][ones] ?? 'th');
  return `${number}${ending}`;
}
