"""What every layer is: it passes requests on to the one below."""

from bio_sync.httplibrary import httpx


class Layer(httpx.BaseTransport):
    """A layer around another transport, which it closes with itself."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def close(self) -> None:
        """Close the layers below."""
        self._inner.close()
