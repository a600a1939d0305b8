"""OpenLLMetry until 0.54, as its libraries sent it: messages under numbered keys, numbers and types under `llm.`."""

from typing import Any

import pytest

from semconv.translate import Translator
from tests.semconv.golden import lost, made, new, translate

SCOPE = "opentelemetry.instrumentation."
CHAT = {
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": "hi",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "hello",
}


def message(role: str, text: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}], **more}


@pytest.mark.parametrize("library", ["anthropic", "groq"])
def test_a_chat_that_calls_itself_a_completion_is_a_chat(translator: Translator, library: str) -> None:
    item = made(
        SCOPE + library,
        f"{library}.chat",
        {"gen_ai.system": library, "llm.request.type": "completion", "gen_ai.request.model": "m", **CHAT},
        kind=3,
    )
    found = translate(translator, item)
    assert new(found)["gen_ai.operation.name"] == "chat"
    assert found.name == "chat m"
    assert not {key for key in lost(found) if key != "@name"}


@pytest.mark.parametrize("library", ["anthropic", "openai.v1"])
def test_one_text_is_the_prompt_of_a_text_completion(translator: Translator, library: str) -> None:
    item = made(
        SCOPE + library,
        f"{library}.completion",
        {
            "gen_ai.system": "OpenAI",
            "llm.request.type": "completion",
            "gen_ai.prompt.0.user": "Say hi",
            "gen_ai.completion.0.content": "hi",
            "gen_ai.completion.0.finish_reason": "stop",
        },
        kind=3,
    )
    found = translate(translator, item)
    assert new(found)["gen_ai.operation.name"] == "text_completion"
    assert new(found)["gen_ai.input.messages"] == [message("user", "Say hi")]
    assert new(found)["gen_ai.output.messages"] == [message("assistant", "hi", finish_reason="stop")]
    assert "unstructured" not in lost(found).values()


def test_the_answer_of_a_call_reported_by_hand_is_its_text(translator: Translator) -> None:
    item = made(
        "traceloop.tracer",
        "openai.chat",
        {
            "gen_ai.system": "openai",
            "llm.request.type": "chat",
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "hi",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0": "hello",
        },
    )
    found = translate(translator, item)
    assert new(found)["gen_ai.output.messages"] == [message("assistant", "hello")]
    assert found.unknown == ()


def test_every_variable_of_a_prompt_is_one(translator: Translator) -> None:
    item = made(
        SCOPE + "openai.v1",
        "openai.chat",
        {"llm.request.type": "chat", "traceloop.prompt.template_variables.name": "Ann", **CHAT},
        kind=3,
    )
    found = translate(translator, item)
    assert new(found)["gen_ai.prompt.variable.name"] == "Ann"
    assert found.unknown == ()


def test_a_provider_outside_the_registry_has_one_spelling(translator: Translator) -> None:
    item = made(
        SCOPE + "ollama", "ollama.chat", {"gen_ai.system": "Ollama", "llm.request.type": "chat", **CHAT}, kind=3
    )
    assert new(translate(translator, item))["gen_ai.provider.name"] == "ollama"
