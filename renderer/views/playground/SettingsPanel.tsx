import {
  ActionIcon,
  Button,
  NumberInput,
  SegmentedControl,
  TagsInput,
  Tooltip,
} from '@mantine/core';
import { IconDice5 } from '@tabler/icons-react';
import { defaultSampling } from '../../state/draft.ts';
import { RemovablePill } from '../../ui/RemovablePill.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { BiasEditor } from './BiasEditor.tsx';
import { ParameterRow } from './ParameterRow.tsx';
import { parameters } from './parameters.ts';
import { PresetPicker } from './PresetPicker.tsx';
import classes from './Settings.module.css';

/** All that decides how the text is made. */
export function SettingsPanel() {
  return (
    <section aria-label="Sampling settings" className={classes.panel}>
      <PresetPicker />
      <Length />
      <Sampler />
      <Seed />
      <Runtime />
    </section>
  );
}

function Length() {
  const { draft } = useStudio();
  const maxTokens = usePart(draft.store, (state) => state.maxTokens);
  const stop = usePart(draft.store, (state) => state.stop);
  const overflow = usePart(draft.store, (state) => state.overflow);
  return (
    <div className={classes.group}>
      <h2>Length</h2>
      <div className={classes.line}>
        <span>Max tokens</span>
        <NumberInput
          aria-label="Max tokens"
          size="xs"
          className={classes.number}
          value={maxTokens}
          min={1}
          max={1_000_000}
          allowDecimal={false}
          hideControls
          onChange={(next) => {
            if (typeof next === 'number' && next >= 1) draft.change({ maxTokens: next });
          }}
        />
      </div>
      <TagsInput
        aria-label="Stop strings"
        placeholder={stop.length === 0 ? 'Stop strings, Enter adds one' : ''}
        value={[...stop]}
        maxTags={16}
        // A line break cannot be typed into this field, but is the commonest place to stop.
        onChange={(next) =>
          draft.change({ stop: next.map((text) => text.replaceAll('\\n', '\n')) })
        }
        renderPill={({ value, onRemove }) => (
          <RemovablePill value={String(value).replaceAll('\n', '\\n')} onRemove={onRemove} />
        )}
        splitChars={[]}
      />
      <div className={classes.line}>
        <Tooltip label="What happens at the end of the context: stop there, or drop the oldest half and go on.">
          <span id="overflow">When full</span>
        </Tooltip>
        <SegmentedControl
          aria-labelledby="overflow"
          value={overflow}
          onChange={(next) => draft.change({ overflow: next })}
          data={[
            { value: 'stop', label: 'Stop' },
            { value: 'slide', label: 'Slide' },
          ]}
        />
      </div>
    </div>
  );
}

function Sampler() {
  const { draft } = useStudio();
  const sampling = usePart(draft.store, (state) => state.sampling);
  const changed =
    parameters.some(({ key }) => sampling[key] !== defaultSampling[key]) ||
    Object.keys(sampling.logitBias).length > 0;
  return (
    <div className={classes.group}>
      <div className={classes.heading}>
        <h2>Sampling</h2>
        {changed && (
          <Button
            size="xs"
            variant="subtle"
            onClick={() => draft.changeSampling({ ...defaultSampling, seed: sampling.seed })}
          >
            Reset all
          </Button>
        )}
      </div>
      {parameters.map((parameter) => (
        <ParameterRow
          key={parameter.key}
          parameter={parameter}
          value={sampling[parameter.key]}
          standard={defaultSampling[parameter.key]}
          onChange={(value) => draft.changeSampling({ [parameter.key]: value })}
        />
      ))}
      <BiasEditor />
    </div>
  );
}

function Seed() {
  const { draft, generation } = useStudio();
  const seed = usePart(draft.store, (state) => state.sampling.seed);
  const used = usePart(generation.store, (state) =>
    state.kind === 'idle' ? null : state.run.seed,
  );
  const fix = (value: number): void => draft.changeSampling({ seed: value });
  return (
    <div className={classes.group}>
      <h2>Seed</h2>
      <div className={classes.line}>
        <SegmentedControl
          aria-label="Seed"
          value={seed === null ? 'random' : 'fixed'}
          onChange={(next) =>
            next === 'random' ? draft.changeSampling({ seed: null }) : fix(used ?? randomSeed())
          }
          data={[
            { value: 'random', label: 'Random' },
            { value: 'fixed', label: 'Fixed' },
          ]}
        />
        {seed !== null && (
          <span className={classes.seed}>
            <NumberInput
              aria-label="Fixed seed"
              size="xs"
              value={seed}
              min={0}
              max={0xffffffff}
              allowDecimal={false}
              hideControls
              onChange={(next) => {
                if (typeof next === 'number' && next <= 0xffffffff) fix(next);
              }}
            />
            <ActionIcon aria-label="Draw another seed" onClick={() => fix(randomSeed())}>
              <IconDice5 size={16} stroke={1.5} />
            </ActionIcon>
          </span>
        )}
      </div>
    </div>
  );
}

const randomSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

function Runtime() {
  const { draft } = useStudio();
  const form = usePart(draft.store, (state) => state.form);
  return (
    <div className={classes.group}>
      <h2>Graph</h2>
      <div className={classes.line}>
        <Tooltip label="Fused runs fast; plain computes the same with primitive operators and shows every intermediate value.">
          <span id="graph-form">Form</span>
        </Tooltip>
        <SegmentedControl
          aria-labelledby="graph-form"
          value={form}
          onChange={(next) => draft.change({ form: next })}
          data={[
            { value: 'fused', label: 'Fused' },
            { value: 'plain', label: 'Plain' },
          ]}
        />
      </div>
    </div>
  );
}
