"""The smallest provider: asks a company directory over HTTP for the industry and the city of an account."""

from enrichment.enums import EntityType
from providers.api import NO_MATCH, Answer, Finding, ProviderInfo, Question
from providers.http.adapter import Adapter, Http
from providers.http.replies import failure
from providers.matching.identity import is_asked_company, wrong_entity
from providers.plugins import PluginContext


class SmallestProvider(Adapter):
    """It words the request and reads the reply; connections, limits and keys are not its business."""

    info = ProviderInfo(
        id="smallest",
        name="The smallest provider",
        needs="a company's domain",
        gives={EntityType.ACCOUNT: frozenset({"industry", "city"})},
        price=1,
        needs_key=True,
    )
    bases = {"": "https://directory.example.com"}

    def input_key(self, question: Question) -> str | None:
        return question.fields.get("domain")

    async def look_up(self, question: Question, http: Http) -> Answer:
        params, headers = {"domain": question.fields["domain"]}, {"X-Api-Key": http.key}
        reply = await http.send("GET", "/companies", params=params, headers=headers)
        if reply.status == 404:
            return NO_MATCH
        if reply.status != 200:
            raise failure(self.info.name, reply)
        company = reply.json()
        if not is_asked_company(question, [company["domain"]], company["name"]):
            raise wrong_entity(self.info.name)
        return Answer(matched=True, findings=tuple(Finding(name, company[name], 0.9) for name in ("industry", "city")))


def make(context: PluginContext) -> SmallestProvider:
    """What the entry point names."""
    return SmallestProvider()
