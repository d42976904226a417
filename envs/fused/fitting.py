"""Which worlds are compiled: those of which numba takes the text, and then gives NumPy's bits."""

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np

from ..actions import action_reader
from ..dynamics import Dynamics
from ..memory import own_state, separate
from ..numbers import Array, batch
from ..random import GOLDEN, BatchRandom, mix_array
from .fingerprint import fingerprint
from .text import Unfit

if TYPE_CHECKING:
    from .advance import Advance


COUNT, STEPS = 32, 64  # environments, and steps, that are compared
_GOLDEN = np.uint64(GOLDEN)
_known: dict[str, "Advance | str"] = {}  # by text: its compiled step, or why there is none


class CompiledStep:
    """The compiled step of a world; a copy in another process is compiled there.

    Attributes:
        advance: see `envs.fused.advance`.
    """

    def __init__(self, dynamics: Dynamics, advance: "Advance") -> None:
        self.dynamics, self.advance = dynamics, advance

    def __reduce__(self) -> tuple[Any, ...]:
        return compiled_step, (self.dynamics,)


def compiled_step(dynamics: Dynamics) -> CompiledStep | None:
    """Return the compiled step of a world; warn, and return None, where NumPy's is taken."""
    found = _compiled(dynamics)
    if not isinstance(found, str):
        return CompiledStep(dynamics, found)
    name = type(dynamics).__name__
    why = f"kernel 'fused' changes nothing for {name}, NumPy steps it: {found}"
    gym.logger.warn("%s", why)  # which may hold a %
    return None


def _compiled(dynamics: Dynamics) -> "Advance | str":
    """Return the compiled step of a world, or why there is none."""
    if find_spec("numba") is None:
        return "numba is not installed, pip install 'dreamgym[fast]'"
    if isinstance(dynamics.observation_space, gym.spaces.Dict):
        return "its observations are a Dict"
    try:
        kind = type(dynamics.initial(batch, BatchRandom(np.zeros(1, np.uint64))))
        name = f"{__package__}.world_{fingerprint(dynamics, kind)}"
    except Exception as error:
        return _reason(error)
    if name not in _known:
        _known[name] = _proved(dynamics, kind, name)
    return _known[name]


def _proved(dynamics: Dynamics, kind: type, name: str) -> "Advance | str":
    """Compile the step of a world, and compare it with NumPy's."""
    try:
        from numba import config

        from .advance import advance_of

        if config.DISABLE_JIT:  # type: ignore[attr-defined]
            raise Unfit("numba is told to compile nothing, by NUMBA_DISABLE_JIT")
        advance = advance_of(dynamics, kind, name)
        with np.errstate(all="ignore"):
            different = difference(dynamics, advance)
    except Exception as error:
        return _reason(error)
    if different:
        return f"compiled, {different}"
    advance.disable_compile()  # other types of arrays are an error from here on
    return advance


def difference(dynamics: Dynamics, advance: "Advance") -> str:
    """Return what a compiled step gives otherwise than NumPy; nothing where all bits are equal.

    Some environments take some random steps by both; where an episode ends, and in one of them in
    every step, the next begins.

    Raises:
        Unfit: numba does not compile it.
    """
    rng, reader = np.random.default_rng(0), action_reader(dynamics.action_space)
    stream = np.arange(COUNT, dtype=np.uint64)
    random = BatchRandom(mix_array(stream))
    state = own_state(dynamics.initial(batch, random), COUNT)
    space = dynamics.observation_space
    shape = COUNT, *(space.shape or ())
    first = np.asarray(dynamics.observe(batch, state))
    if (first.shape, first.dtype) != (shape, space.dtype):
        raise Unfit(f"its observations, {first.dtype} {first.shape[1:]}, are not of {space}")
    clocks = stream.copy(), random.counter.copy(), np.zeros(COUNT, np.int64)
    own = type(state)(*(field.copy() for field in state))
    finished = np.arange(1)
    for clock in range(1, STEPS + 1):
        action = reader.many(_actions(dynamics.action_space, rng), COUNT)
        seen, final = np.empty(shape, space.dtype), np.empty(shape, space.dtype)
        reward, flags = np.empty(COUNT), np.empty((2, COUNT), bool)
        told = action, seen, reward, *flags, final
        _call(advance, (clock, 2**62, False, finished, *clocks, *told, *own))
        random.counter += _GOLDEN
        results = dynamics.step(batch, state, action, random)
        state, expected, over = separate(*results, action, COUNT)
        stream[finished] += _GOLDEN
        random.counter[finished] = mix_array(stream[finished])
        begun = dynamics.initial(batch, BatchRandom(random.counter[finished]))
        for field, number in zip(state, begun, strict=True):
            field[finished] = number
        expected[finished], over[finished] = 0.0, False
        fields = state._fields, own, state
        pairs = {f"its state's {k}": (a, b) for k, a, b in zip(*fields, strict=True)}
        pairs |= {"its reward": (reward, expected), "the end of its episodes": (flags[0], over)}
        pairs["its observation"] = seen, np.asarray(dynamics.observe(batch, state))
        for what, (ours, numpys) in pairs.items():
            if not _same(ours, numpys):
                return f"{what} is not what NumPy's is"
        finished = np.union1d(np.flatnonzero(over), clock % COUNT)
    return ""


def _actions(space: gym.Space, rng: np.random.Generator) -> Array:
    if isinstance(space, gym.spaces.Discrete):
        return rng.integers(space.start, space.start + space.n, COUNT)
    assert isinstance(space, gym.spaces.Box)
    return rng.normal(size=(COUNT, *space.shape)).clip(space.low, space.high)


def _same(a: Array, b: Array) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def _call(advance: "Advance", args: tuple[Any, ...]) -> None:
    """Call compiled code, which numba compiles, or finds in a file, the first time.

    Raises:
        Unfit: numba does not compile it, or it raises.
    """
    from numba.core.caching import FunctionCache
    from numba.core.errors import NumbaError

    for again in (False, True):
        compiled = bool(advance.signatures)
        try:
            advance(*args)
            return
        except Exception as error:  # numba's are of many kinds
            if compiled:
                raise Unfit(f"compiled, it raises {type(error).__name__}: {error}") from error
            if again or isinstance(error, NumbaError):
                raise Unfit(f"numba does not compile it ({_told(error)})") from error
        if not advance.signatures:  # the file may be broken: the next one takes its place
            FunctionCache(advance.py_func).flush()


def _reason(error: Exception) -> str:
    """Return why a world is left to NumPy; what its text raises, it raises there as well."""
    if isinstance(error, Unfit | ImportError):  # of a library that keeps its loops elsewhere
        return str(error)
    return f"its text raises {type(error).__name__}: {error}"


def _told(error: Exception) -> str:
    """Return the first sentence of numba's message that says anything, in the text's own words."""
    plain = re.sub(r"\x1b\[\d+m", "", str(error)).strip() or type(error).__name__
    ours = r"(?:Module\(<)?module '[\w.]+\.world_\w+_self(?:\.\d+\.([\w.]+))?'[^)\s]*\)?"
    plain = re.sub(ours, lambda found: found[1] or "self", plain)
    telling = re.search(
        r"(Unknown|Use of|The use|Cannot|Untyped|non-precise|Invalid)[^\n.]*", plain
    )
    calls = re.findall(r">>> ([^\n]+)", plain)
    return telling[0] if telling else f"it knows no {calls[-1]}" if calls else plain.splitlines()[0]
