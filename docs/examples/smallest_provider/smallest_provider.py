"""The smallest provider: asks a company directory over HTTP for the industry and the city of an account."""

from enrichment.vocabulary import EntityType
from providers.adapter import Http, KeyCheck
from providers.base import NO_MATCH, Answer, Finding, ProviderError, ProviderInfo, Question
from providers.plugins import PluginContext


class SmallestProvider:
    """An adapter: it words the request and reads the reply; connections, limits and keys are not its business."""

    info = ProviderInfo(
        id="smallest",
        name="The smallest provider",
        gives={EntityType.ACCOUNT: frozenset({"industry", "city"})},
        needs="a company's domain",
        price=1,
        remote=True,
        needs_key=True,
    )
    calls_per_minute = 60

    def __init__(self, base: str) -> None:
        self.bases = {"": base}

    def input_key(self, question: Question) -> str | None:
        domain = question.fields.get("domain")
        return domain if isinstance(domain, str) else None

    async def look_up(self, question: Question, http: Http) -> Answer:
        headers = {"X-Api-Key": http.key}
        reply = await http.send("GET", "/companies", params={"domain": question.fields["domain"]}, headers=headers)
        if reply.status == 404:
            return NO_MATCH
        if reply.status != 200:
            raise ProviderError("unavailable", f"the directory answered {reply.status}", retryable=True)
        company = reply.json()
        return Answer(matched=True, findings=tuple(Finding(name, company[name], 0.9) for name in ("industry", "city")))

    async def poll(self, token: str, question: Question, http: Http) -> Answer:
        return await self.look_up(question, http)

    async def check_key(self, http: Http) -> KeyCheck:
        return KeyCheck(valid=True, detail="not checked: every call counts")


def make(context: PluginContext) -> SmallestProvider:
    """What the entry point names. Its setting is AUTO_ENRICHMENT_SMALLEST_DIRECTORY."""
    return SmallestProvider(context.settings.get("directory", "https://directory.example.com"))
