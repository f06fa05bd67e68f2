import type { Difference } from '../../../../preload/contract/inspect/index.ts';
import type { Token } from '../../../../preload/contract/models.ts';
import { markup, type Markup } from './html.ts';
import { heatSteps } from './style.ts';
import { nats, probability, visible } from './words.ts';

/** Rows of the table of the largest differences. */
const MOST_ROWS = 20;

/** The text, its tokens coloured by the divergence of their predictions. */
export function textSection({
  tokens,
  promptTokens,
  positions,
  firstDivergence,
}: Difference): Markup {
  const spans = tokens.map((one, at) => {
    const before = positions[at - 1];
    const kl = before?.kl ?? 0;
    const step = heatSteps.filter((from) => kl >= from).length;
    const names = [
      ...(step > 0 ? [`h${step}`] : []),
      ...(at >= promptTokens ? ['written'] : []),
      ...(at === firstDivergence ? ['first'] : []),
    ];
    const said =
      before === undefined
        ? 'the first token: nothing comes before it'
        : `KL ${nats(kl)} nats; base ${chance(before.base.logprob)}, variant ${chance(before.variant.logprob)}`;
    return markup`<span class="${names.join(' ')}" title="token ${at + 1}: ${said}"
      >${shown(one)}</span
    >`;
  });
  const legend = heatSteps.map(
    (from, step) => markup`<li><i class="h${step + 1}"></i>≥ ${from}</li>`,
  );
  return markup`<h2>The text</h2>
    <p class="quiet">
      Each token is coloured by how far the variant’s prediction of it is from the base’s (KL
      divergence in nats); those underlined were written by the
      base${firstDivergence === null ? '' : ', the framed one is where the models part'}.
    </p>
    <div class="text">${spans}</div>
    <ul class="legend">
      <li>KL in nats</li>
      ${legend}
    </ul>`;
}

/** A token in running text: one that shows nothing there by its name, a piece of a character by its bytes. */
function shown({ text, bytes }: Token): string {
  if (text !== '') return text.replace(/\r?\n/g, '⏎\n');
  const name = new TextDecoder().decode(Uint8Array.from(bytes));
  if (!name.includes('\uFFFD')) return name;
  return `⟨${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}⟩`;
}

/** The places where predictions differ most, as a table. */
export function largestSection({ tokens, positions }: Difference): Markup {
  const rows = positions
    .map((position, at) => ({ ...position, at }))
    .filter(({ kl }) => kl > 0)
    .toSorted((a, b) => b.kl - a.kl || a.at - b.at)
    .slice(0, MOST_ROWS);
  if (rows.length === 0)
    return markup`<h2>Largest differences</h2>
      <p>There are none.</p>`;
  const body = rows.map(
    ({ at, base, variant, kl }) =>
      markup`<tr>
        <td class="n">${at + 2}</td>
        <td>${token({ text: shown(tokens[at]) })}</td>
        <td>${at + 1 < tokens.length ? token({ text: shown(tokens[at + 1]) }) : ''}</td>
        <td class="n">${chance(base.logprob)}</td>
        <td class="n">${chance(variant.logprob)}</td>
        <td>${token(base.top)} ${probability(base.topLogprob)}</td>
        <td>${token(variant.top)} ${probability(variant.topLogprob)}</td>
        <td class="n">${nats(kl)}</td>
      </tr>`,
  );
  return markup`<h2>Largest differences</h2>
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th class="n">Token</th>
            <th>Behind</th>
            <th>Read</th>
            <th class="n">Base</th>
            <th class="n">Variant</th>
            <th>Base’s first choice</th>
            <th>Variant’s</th>
            <th class="n">KL, nats</th>
          </tr>
        </thead>
        <tbody>
          ${body}
        </tbody>
      </table>
    </div>`;
}

/** A token where it stands alone. */
export const token = (one: { readonly text: string }): Markup =>
  markup`<span class="token">${visible(one)}</span>`;

const chance = (logprob: number | null): string => (logprob === null ? '' : probability(logprob));
