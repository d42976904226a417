"""Files that are not read, and what people can do with them."""

from collections.abc import Mapping

PHOTOS = (".heic", ".heif", ".avif", ".jxl", ".raw", ".dng", ".cr2", ".nef", ".svg", ".psd", ".jp2")
PACKED = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar")
FILMS = (".mp4", ".avi", ".mov", ".mkv", ".webm")
OF_OTHERS = (
    *(".h5", ".hdf5", ".mat", ".parquet", ".feather", ".arrow", ".tfrecord", ".zarr", ".json"),
    *(".pt", ".pth", ".pkl", ".pickle", ".safetensors", ".xls", ".xlsx", ".ods", ".dcm", ".nii"),
)
_ADVICE: Mapping[tuple[str, ...], str] = {
    PHOTOS: "save such pictures as .png or .jpg",
    PACKED: "unpack it",
    FILMS: "save its frames as pictures",
    OF_OTHERS: "save its rows as .npz, or as .csv",
}


def advice(ending: str) -> str:
    """Return what can be done with a file of an ending, as the end of a sentence; or nothing."""
    found = next((said for endings, said in _ADVICE.items() if ending.lower() in endings), "")
    return found and f"; {found}"
