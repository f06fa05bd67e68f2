import { useState, type KeyboardEvent } from 'react';
import type { LinearFacts } from '../../../preload/contract/index.ts';
import classes from './BlockDiagram.module.css';

interface BlockDiagramProps {
  linears: readonly LinearFacts[];
  chosen: ReadonlySet<string>;
  /** Shown, but not to be changed. */
  isFixed: boolean;
  /** Asks to choose these layers, or to leave them out where all are chosen. */
  onToggle: (names: readonly string[]) => void;
}

/** Column and row of the place that the keyboard is at; row and column 0 hold the names. */
type Place = readonly [column: number, row: number];

/** `attn.qkv` of `blocks.3.attn.qkv`. */
const kindOf = (name: string): string => name.replace(/^blocks\.\d+\./, '');

/**
 * The decoder from left to right: embedding, blocks with their layers below each other, norm, output
 * matrix. One place takes the keyboard; arrows move it, space chooses.
 */
export function BlockDiagram({ linears, chosen, isFixed, onToggle }: BlockDiagramProps) {
  const [at, setAt] = useState<Place>([1, 1]);
  const inBlocks = linears.filter(({ block }) => block !== null);
  const heads = linears.filter(({ block }) => block === null);
  const kinds = [...new Set(inBlocks.map(({ name }) => kindOf(name)))];
  const blocks = [...Map.groupBy(inBlocks, ({ block }) => block ?? 0)];
  const every = blocks.length > 40 ? 10 : blocks.length > 16 ? 5 : 1;

  const move = (event: KeyboardEvent<HTMLElement>): void => {
    const steps: Readonly<Record<string, Place>> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const next: Place = [at[0] + step[0], at[1] + step[1]];
    const found = event.currentTarget.querySelector<HTMLElement>(`[data-at="${next.join(' ')}"]`);
    if (!found) return;
    setAt(next);
    found.focus();
  };
  const place = (column: number, row: number) => ({
    'data-at': `${column} ${row}`,
    tabIndex: at[0] === column && at[1] === row ? 0 : -1,
    onFocus: () => setAt([column, row]),
    style: { gridColumn: column + 1, gridRow: row + 1 },
  });
  const areChosen = (layers: readonly LinearFacts[]): boolean =>
    layers.every(({ name }) => chosen.has(name));
  const cell = (layer: LinearFacts, column: number, row: number) => (
    <button
      key={layer.name}
      type="button"
      className={classes.cell}
      {...place(column, row)}
      aria-label={layer.name}
      aria-pressed={chosen.has(layer.name)}
      aria-disabled={isFixed || undefined}
      data-stored={!layer.isFloat || undefined}
      title={titleOf(layer)}
      onClick={() => !isFixed && onToggle([layer.name])}
    />
  );
  const last = blocks.length + 1;
  return (
    // Arrow keys move among the buttons inside; the group itself is no control.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <fieldset
      aria-label="Layers of the model"
      className={classes.diagram}
      data-fixed={isFixed || undefined}
      onKeyDown={move}
    >
      <span className={classes.end}>Embedding</span>
      <div
        className={classes.grid}
        style={{
          gridTemplateColumns: `max-content repeat(${blocks.length}, minmax(8px, 56px))`,
        }}
      >
        {blocks.map(([block, layers], index) => (
          <button
            key={block}
            type="button"
            className={classes.number}
            {...place(index + 1, 0)}
            aria-label={`Block ${block}`}
            aria-pressed={areChosen(layers)}
            aria-disabled={isFixed || undefined}
            title={`Block ${block}`}
            onClick={() => !isFixed && onToggle(namesOf(layers))}
          >
            {index % every === 0 ? block : ''}
          </button>
        ))}
        {kinds.map((kind, index) => {
          const row = inBlocks.filter(({ name }) => kindOf(name) === kind);
          return (
            <button
              key={kind}
              type="button"
              className={classes.row}
              {...place(0, index + 1)}
              aria-label={`${kind} of every block`}
              aria-pressed={areChosen(row)}
              aria-disabled={isFixed || undefined}
              onClick={() => !isFixed && onToggle(namesOf(row))}
            >
              {kind}
            </button>
          );
        })}
        {blocks.map(([, layers], column) =>
          layers.map((layer) => cell(layer, column + 1, kinds.indexOf(kindOf(layer.name)) + 1)),
        )}
      </div>
      <span className={classes.end}>Norm</span>
      {heads.map((layer, index) => (
        <button
          key={layer.name}
          type="button"
          className={classes.head}
          {...place(last + index, 1)}
          aria-label={layer.name}
          aria-pressed={chosen.has(layer.name)}
          aria-disabled={isFixed || undefined}
          data-stored={!layer.isFloat || undefined}
          title={titleOf(layer)}
          onClick={() => !isFixed && onToggle([layer.name])}
        >
          {layer.name}
        </button>
      ))}
    </fieldset>
  );
}

const namesOf = (layers: readonly LinearFacts[]): string[] => layers.map(({ name }) => name);

const titleOf = ({ name, rows, columns, isFloat, bits }: LinearFacts): string =>
  `${name}\n${rows} × ${columns}, ${isFloat ? `${bits} bits per weight` : `stored with ${Number(bits.toFixed(2))} bits per weight already`}`;
