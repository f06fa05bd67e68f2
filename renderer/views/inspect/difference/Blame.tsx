import { Button, Checkbox, SegmentedControl } from '@mantine/core';
import { IconSearch, IconTool } from '@tabler/icons-react';
import { useCallback, useState } from 'react';
import type { Blame as Found, Difference, Suspect } from '../../../../preload/contract/index.ts';
import { drawEffects } from '../../../charts/effects.ts';
import { toFailure } from '../../../state/failure.ts';
import { Chart } from '../../../ui/Chart.tsx';
import { formatCount, visible } from '../../../ui/format.ts';
import { offerUndo, tellFailure } from '../../../ui/notify.tsx';
import { toCsv } from '../../../ui/save.ts';
import { usePart, useStudio } from '../../studioContext.ts';
import { fileName } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import { Trouble } from '../parts/Trouble.tsx';
import { Working } from '../parts/Working.tsx';
import classes from './difference.module.css';

/** Which layers make the difference, and a recipe that spares them. */
export function Blame({ difference }: { difference: Difference }) {
  const store = useStudio().difference;
  const blame = usePart(store.store, (state) => state.blame);
  const find = (): void => void store.findBlame();
  return (
    <section className={parts.section} aria-label="What is to blame">
      <div className={parts.head}>
        <h2>What is to blame</h2>
      </div>
      {blame.kind === 'idle' && (
        <>
          <p className={parts.note}>
            Puts layers of the base back into the variant, group by group, until the base’s token is
            back, and ranks them by what each does alone.
          </p>
          <Button
            leftSection={<IconSearch size={16} stroke={1.5} aria-hidden="true" />}
            onClick={find}
          >
            Find the layers to blame
          </Button>
        </>
      )}
      {blame.kind === 'searching' && (
        <>
          <div className={classes.searching}>
            <Working
              progress={blame.progress}
              label="Progress of the search"
              onStop={() => store.cancelBlame()}
            />
          </div>
          <Suspects name={nameOf(difference)} suspects={blame.suspects} />
        </>
      )}
      {blame.kind === 'failed' && <Trouble failure={blame.failure} retry={find} />}
      {blame.kind === 'done' && <Verdict difference={difference} blame={blame.blame} />}
    </section>
  );
}

const nameOf = ({ base, variant }: Difference): string => `${fileName(base, variant)}-blame`;

function Verdict({ difference, blame }: { difference: Difference; blame: Found }) {
  const { expected, given, suspects, sufficient, runs, position } = blame;
  const isFlipped = expected.id !== given.id;
  const token = <strong>{visible(expected.text)}</strong>;
  return (
    <>
      <p className={parts.sentence}>
        {!isFlipped ? (
          <>
            No token flipped, so this ranks what makes the largest KL, at token {position + 1} (
            {token}).
          </>
        ) : sufficient.length > 0 ? (
          <>
            {sufficient.length === 1 ? 'One layer is' : `${sufficient.length} layers are`} enough to
            bring {token} back in place of <strong>{visible(given.text)}</strong>.
          </>
        ) : (
          <>No few layers bring {token} back: the difference is spread over all of them.</>
        )}{' '}
        It took {formatCount(runs)} runs.
      </p>
      <Suspects name={nameOf(difference)} suspects={suspects} canKeep />
      {suspects.length > 0 && <Repair />}
    </>
  );
}

interface SuspectsProps {
  name: string;
  suspects: readonly Suspect[];
  canKeep?: boolean;
}

/** As many as are worth reading; all of them are in what is saved. */
const mostShown = 12;

function Suspects({ name, suspects, canKeep = false }: SuspectsProps) {
  const store = useStudio().difference;
  const kept = usePart(store.store, (state) => state.kept);
  const shown = suspects.slice(0, mostShown);
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawEffects(
        svg,
        {
          caption: 'How much nearer to the base it brings the token (KL)',
          effects: suspects.slice(0, mostShown).map(({ layer, effect, restores }) => ({
            label: layer,
            value: effect,
            marked: restores,
          })),
          figure: (value) => `${Math.round(value * 100)} %`.replace('-', '−'),
        },
        width,
      ),
    [suspects],
  );
  if (suspects.length === 0) return null;
  return (
    <>
      <div className={classes.suspects} data-can-keep={canKeep || undefined}>
        {canKeep && (
          <div className={classes.kept}>
            {shown.map(({ layer }) => (
              <Checkbox
                key={layer}
                size="xs"
                aria-label={`Keep ${layer}`}
                checked={kept.includes(layer)}
                onChange={() => store.toggleKept(layer)}
              />
            ))}
          </div>
        )}
        <Chart
          label={`Effect of ${shown.length} layers: ${shown.map(({ layer }) => layer).join(', ')}`}
          draw={draw}
          save={{ name, csv: () => csvOf(suspects), json: () => suspects }}
        />
      </div>
      {shown.some(({ restores }) => restores) && (
        <p className={parts.note}>
          <span className={classes.restores} aria-hidden="true" /> brings the token back alone
        </p>
      )}
      {suspects.length > mostShown && (
        <p className={parts.note}>{formatCount(suspects.length - mostShown)} more, with less.</p>
      )}
    </>
  );
}

const csvOf = (suspects: readonly Suspect[]): string =>
  toCsv(
    ['layer', 'effect', 'restores'],
    suspects.map(({ layer, effect, restores }) => [layer, effect, restores ? 1 : 0]),
  );

/** Makes of the layers that are ticked a recipe that treats them better. */
function Repair() {
  const studio = useStudio();
  const { kept, keep } = usePart(studio.difference.store, (state) => state);
  const [isAsking, setAsking] = useState(false);
  const repair = async (): Promise<void> => {
    setAsking(true);
    try {
      const { model, recipe } = await studio.difference.repair();
      const undo = studio.takeRecipe(model, recipe);
      offerUndo({ message: `${recipe.name} took the place of your recipe`, undo });
    } catch (error) {
      setAsking(false);
      tellFailure(toFailure(error).message);
    }
  };
  return (
    <div className={classes.repair}>
      <span>
        Keep {formatCount(kept.length)} {kept.length === 1 ? 'layer' : 'layers'} at
      </span>
      <SegmentedControl
        aria-label="How the layers are kept"
        value={keep}
        data={[
          { value: '8-bit', label: '8 bit' },
          { value: 'float', label: 'Float' },
        ]}
        onChange={(next) => studio.difference.change({ keep: next === 'float' ? next : '8-bit' })}
      />
      <Button
        leftSection={<IconTool size={16} stroke={1.5} aria-hidden="true" />}
        disabled={kept.length === 0 || isAsking}
        onClick={() => void repair()}
      >
        Make a repaired recipe
      </Button>
    </div>
  );
}
